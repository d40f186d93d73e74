from django.db import migrations, models
from django.db import connection
from django.contrib.postgres.operations import AddConstraintNotValid

# Only PostgreSQL has it.
ADD = AddConstraintNotValid if connection.vendor == "postgresql" else migrations.AddConstraint


class Migration(migrations.Migration):
    dependencies = [("shop", "0029_expression_index")]
    operations = [
        ADD(
            "Order",
            models.CheckConstraint(
                condition=models.Q(priority__gte=0), name="order_priority_positive"
            ),
        ),
    ]
