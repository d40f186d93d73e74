from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0025_generated_field")]
    operations = [
        migrations.AddConstraint(
            "Order",
            models.UniqueConstraint(
                fields=["number", "placed"], name="order_number_placed", nulls_distinct=False
            ),
        ),
    ]
