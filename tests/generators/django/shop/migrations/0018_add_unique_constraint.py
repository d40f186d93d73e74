from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0017_add_check")]
    operations = [
        migrations.AddConstraint(
            "Order", models.UniqueConstraint(fields=["number"], name="order_number_once")
        ),
    ]
