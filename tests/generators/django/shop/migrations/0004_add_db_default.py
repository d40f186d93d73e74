from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_add_default")]
    operations = [
        migrations.AddField("Order", "state", models.CharField(max_length=20, db_default="new")),
    ]
