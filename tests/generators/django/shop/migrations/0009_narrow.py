from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0008_widen")]
    operations = [
        migrations.AlterField("Order", "remark", models.CharField(max_length=50, null=True)),
    ]
