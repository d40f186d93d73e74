from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0024_rename_model")]
    operations = [
        migrations.AddField(
            "Order",
            "double",
            models.GeneratedField(
                expression=models.F("count") * 2,
                output_field=models.BigIntegerField(),
                db_persist=True,
            ),
        ),
    ]
