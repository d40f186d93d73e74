from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0031_validate_constraint")]
    operations = [
        migrations.RenameIndex("Order", new_name="order_by_number", old_name="order_number"),
    ]
