from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0033_remove_index")]
    operations = [
        migrations.RemoveConstraint("Order", "order_number_once"),
    ]
