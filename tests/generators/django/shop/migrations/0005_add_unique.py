from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_add_db_default")]
    operations = [
        migrations.AddField(
            "Customer", "code", models.CharField(max_length=20, null=True, unique=True)
        ),
    ]
