from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0007_add_indexed")]
    operations = [
        migrations.AlterField("Order", "remark", models.CharField(max_length=200, null=True)),
    ]
