from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0040_alter_table_name")]
    operations = [
        migrations.AlterModelTableComment("Order", "what was ordered"),
    ]
