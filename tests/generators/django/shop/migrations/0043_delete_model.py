from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0042_add_json_and_uuid")]
    operations = [
        migrations.DeleteModel("Order"),
    ]
