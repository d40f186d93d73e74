from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0036_to_one_to_one")]
    operations = [
        migrations.AlterField("Customer", "code", models.IntegerField(null=True)),
    ]
