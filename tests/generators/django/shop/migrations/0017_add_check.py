from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0016_add_index_concurrently")]
    operations = [
        migrations.AddConstraint(
            "Order",
            models.CheckConstraint(condition=models.Q(total__gte=0), name="order_total_positive"),
        ),
    ]
