from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0018_add_unique_constraint")]
    operations = [
        migrations.AlterUniqueTogether("Customer", {("name", "email")}),
    ]
