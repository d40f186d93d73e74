from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0039_default_to_db_default")]
    operations = [
        migrations.AlterModelTable("Customer", "customers"),
    ]
