from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Customer",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100)),
                ("email", models.CharField(max_length=100, db_index=True)),
            ],
        ),
        migrations.CreateModel(
            "Tag",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("word", models.CharField(max_length=20, unique=True)),
            ],
        ),
        migrations.CreateModel(
            "Order",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("customer", models.ForeignKey("shop.Customer", models.CASCADE)),
                ("number", models.CharField(max_length=20)),
                ("total", models.DecimalField(max_digits=10, decimal_places=2)),
                ("count", models.IntegerField(default=1)),
                ("note", models.TextField(null=True)),
                ("tags", models.ManyToManyField("shop.Tag")),
            ],
            options={"indexes": [models.Index(fields=["number"], name="order_number")]},
        ),
    ]
