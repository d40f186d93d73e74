from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0005_add_unique")]
    operations = [
        migrations.AddField(
            "Order",
            "payer",
            models.ForeignKey("shop.Customer", models.SET_NULL, null=True, related_name="+"),
        ),
    ]
