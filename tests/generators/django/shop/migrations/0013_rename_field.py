from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0012_to_bigint")]
    operations = [
        migrations.RenameField("Order", "remark", "comment"),
    ]
