from django.db import migrations, models
import uuid


class Migration(migrations.Migration):
    dependencies = [("shop", "0041_table_comment")]
    operations = [
        migrations.AddField("Order", "details", models.JSONField(default=dict)),
        migrations.AddField("Order", "token", models.UUIDField(default=uuid.uuid4)),
    ]
