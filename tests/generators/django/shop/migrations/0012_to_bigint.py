from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0011_null_again")]
    operations = [
        migrations.AlterField("Order", "count", models.BigIntegerField(default=1)),
    ]
