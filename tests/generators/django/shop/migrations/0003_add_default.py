from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_add_null")]
    operations = [
        migrations.AddField("Order", "priority", models.IntegerField(default=0)),
    ]
