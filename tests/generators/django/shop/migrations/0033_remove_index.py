from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0032_rename_index")]
    operations = [
        migrations.RemoveIndex("Order", "order_placed_state"),
    ]
