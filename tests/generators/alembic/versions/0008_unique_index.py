import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade():
    op.create_index(
        "customers_name", "customers", ["name"], unique=True, postgresql_nulls_not_distinct=True
    )
