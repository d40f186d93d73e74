from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0021_run_python")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.AlterModelOptions("Order", {"ordering": ["placed"]})]
        ),
    ]
