from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0023_many_to_many")]
    operations = [
        migrations.RenameModel("Tag", "Label"),
    ]
