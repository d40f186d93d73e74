import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade():
    op.alter_column("customers", "email", existing_type=sa.String(100), new_column_name="mail")
