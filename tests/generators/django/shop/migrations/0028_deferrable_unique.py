from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0027_partial_unique")]
    operations = [
        migrations.AddConstraint(
            "Order",
            models.UniqueConstraint(
                fields=["state", "number"],
                name="order_state_number",
                deferrable=models.Deferrable.DEFERRED,
            ),
        ),
    ]
