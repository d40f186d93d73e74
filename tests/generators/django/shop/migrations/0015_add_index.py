from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0014_remove_field")]
    operations = [
        migrations.AddIndex(
            "Order", models.Index(fields=["placed", "state"], name="order_placed_state")
        ),
    ]
