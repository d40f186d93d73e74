from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0038_remove_foreign_key")]
    operations = [
        migrations.AlterField("Order", "priority", models.IntegerField(db_default=5)),
    ]
