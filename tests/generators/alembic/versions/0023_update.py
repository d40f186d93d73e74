import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade():
    op.execute("UPDATE orders SET total = 0 WHERE total IS NULL")
