from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0026_nulls_not_distinct")]
    operations = [
        migrations.AddConstraint(
            "Customer",
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(code__isnull=False),
                name="customer_email_coded",
            ),
        ),
    ]
