from django.db import migrations, models
from django.db import connection
from django.contrib.postgres.operations import ValidateConstraint

VALIDATE = (
    [ValidateConstraint("Order", "order_priority_positive")]
    if connection.vendor == "postgresql"
    else []
)


class Migration(migrations.Migration):
    dependencies = [("shop", "0030_constraint_not_valid")]
    operations = [
        *VALIDATE,
    ]
