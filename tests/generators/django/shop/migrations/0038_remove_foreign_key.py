from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0037_text_to_integer")]
    operations = [
        migrations.RemoveField("Order", "payer"),
    ]
