from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0035_remove_index_concurrently")]
    operations = [
        migrations.AlterField(
            "Order",
            "payer",
            models.OneToOneField("shop.Customer", models.SET_NULL, null=True, related_name="+"),
        ),
    ]
