from django.db import migrations, models
from django.db import connection
from django.contrib.postgres.operations import RemoveIndexConcurrently

# Only PostgreSQL has it.
REMOVE = RemoveIndexConcurrently if connection.vendor == "postgresql" else migrations.RemoveIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0034_remove_constraint")]
    operations = [
        REMOVE("Order", "order_total"),
    ]
