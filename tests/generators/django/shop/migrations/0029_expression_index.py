from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("shop", "0028_deferrable_unique")]
    operations = [
        migrations.AddIndex("Customer", models.Index(Lower("name"), name="customer_lower_name")),
    ]
