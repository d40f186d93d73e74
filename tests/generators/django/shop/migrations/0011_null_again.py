from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0010_not_null")]
    operations = [
        migrations.AlterField("Order", "remark", models.CharField(max_length=50, null=True)),
    ]
