from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0022_state_only")]
    operations = [
        migrations.AddField(
            "Customer", "tags", models.ManyToManyField("shop.Tag", related_name="+")
        ),
    ]
