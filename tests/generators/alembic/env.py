"""As `alembic init` writes it, but for the URL and a transaction for each revision."""

from alembic import context
from sqlalchemy import create_engine

url = context.config.attributes["url"]

if context.is_offline_mode():
    context.configure(url=url, literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url).connect() as connection:
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
