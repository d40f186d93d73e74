from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0013_rename_field")]
    operations = [
        migrations.RemoveField("Order", "note"),
    ]
