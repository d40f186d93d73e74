from django.db import migrations, models


def nothing(apps, schema_editor):
    apps.get_model("shop", "Order").objects.filter(comment=None).update(comment="")


class Migration(migrations.Migration):
    dependencies = [("shop", "0020_run_sql")]
    operations = [
        migrations.RunPython(nothing, nothing),
    ]
