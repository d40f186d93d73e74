from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0006_add_foreign_key")]
    operations = [
        migrations.AddField("Order", "placed", models.DateTimeField(null=True, db_index=True)),
    ]
