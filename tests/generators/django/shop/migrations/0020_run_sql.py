from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0019_unique_together")]
    operations = [
        migrations.RunSQL(
            "UPDATE shop_order SET comment = '' WHERE comment IS NULL", migrations.RunSQL.noop
        ),
    ]
