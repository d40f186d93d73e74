from django.db import migrations, models
from django.db import connection
from django.contrib.postgres.operations import AddIndexConcurrently

# Only PostgreSQL has it.
ADD = AddIndexConcurrently if connection.vendor == "postgresql" else migrations.AddIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0015_add_index")]
    operations = [
        ADD("Order", models.Index(fields=["total"], name="order_total")),
    ]
