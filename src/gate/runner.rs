//! Who runs a migration, and what that does about transactions, locks and order.
//!
//! What each really does was read in its source or documentation and is cited with it. A runner is a
//! value here; adding one is one more entry of [`ALL`].

use super::Engine;

/// A runner of migrations.
#[derive(Debug, PartialEq, Eq)]
pub struct Runner {
    /// Its name in options.
    pub name: &'static str,
    /// What it does about transactions.
    pub wraps: Wraps,
    /// Whether it holds an advisory lock, in a transaction or session of its own, while a migration
    /// runs: `CREATE INDEX CONCURRENTLY` waits for every transaction that is open, so also for that.
    pub waits_for_itself: bool,
    /// Whether `SQLite` looks after foreign keys while it runs a migration; it does if somebody asked
    /// for it (`PRAGMA foreign_keys`), so it is taken for granted unless the runner says no.
    pub foreign_keys: bool,
    /// What it prints in place of an operation that is no SQL.
    pub cannot_print: &'static [&'static str],
    /// Tables in which it keeps its own books.
    pub books: &'static [&'static str],
    /// Databases on which it opens none.
    pub no_transaction_on: &'static [Engine],
    /// What turns the transaction off for a file, if it is in the file's name or text.
    pub without_transaction: &'static [&'static str],
    /// Where this is from.
    pub source: &'static str,
}

/// What a runner does about transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wraps {
    /// Every statement commits by itself.
    No,
    /// The file is one transaction.
    File,
    /// All files that are run together are one transaction.
    Together,
    /// The file is sent as one string, which PostgreSQL runs as one transaction unless it holds its
    /// own; MySQL runs it statement by statement.
    OneString,
}

/// `psql -f`, `mysql <`, `sqlite3 <`.
pub static PSQL: Runner = Runner {
    name: "psql",
    wraps: Wraps::No,
    waits_for_itself: false,
    foreign_keys: true,
    cannot_print: &[],
    books: &[],
    no_transaction_on: &[],
    without_transaction: &[],
    source: "psql sends each statement by itself unless --single-transaction is given",
};

/// Every runner that is known.
pub static ALL: &[&Runner] = &[
    &PSQL,
    &Runner {
        name: "flyway",
        wraps: Wraps::File,
        // flyway#1654, #3497: its lock on the history table lives in a transaction; since 9.1.2
        // `postgresql.transactional.lock=false` makes it a session lock.
        waits_for_itself: true,
        foreign_keys: true,
        cannot_print: &[],
        books: &["flyway_schema_history"],
        no_transaction_on: &[],
        without_transaction: &["executeInTransaction=false"],
        source: "Flyway: each migration in a transaction; a script's .conf may turn it off",
    },
    &Runner {
        name: "liquibase",
        wraps: Wraps::File,
        waits_for_itself: false,
        foreign_keys: true,
        cannot_print: &[],
        books: &["databasechangelog", "databasechangeloglock"],
        no_transaction_on: &[],
        without_transaction: &["runInTransaction:false"],
        source: "Liquibase: each changeset in a transaction; runInTransaction:false turns it off",
    },
    &Runner {
        name: "golang-migrate",
        wraps: Wraps::OneString,
        // golang-migrate#960: a session lock, which CONCURRENTLY does not wait for; but the file is
        // one string unless x-multi-statement is on.
        waits_for_itself: false,
        foreign_keys: true,
        cannot_print: &[],
        books: &["schema_migrations"],
        no_transaction_on: &[],
        without_transaction: &[],
        source: "golang-migrate: the whole file is one Exec",
    },
    &Runner {
        name: "sqlx",
        wraps: Wraps::File,
        waits_for_itself: false,
        foreign_keys: true,
        cannot_print: &[],
        books: &["_sqlx_migrations"],
        no_transaction_on: &[],
        without_transaction: &["-- no-transaction"],
        source: "sqlx-core/src/migrate: a transaction for each file unless it begins -- no-transaction",
    },
    &Runner {
        name: "django",
        wraps: Wraps::File,
        waits_for_itself: false,
        // django/db/backends/sqlite3/schema.py: DatabaseSchemaEditor.__enter__ turns them off.
        foreign_keys: false,
        // Django 5 and those before it (django/db/migrations/migration.py, Migration.apply).
        cannot_print: &["CANNOT BE WRITTEN AS SQL"],
        books: &["django_migrations", "django_content_type", "auth_permission"],
        // Migration.apply: only where `can_rollback_ddl`.
        no_transaction_on: &[Engine::MySql, Engine::MariaDb],
        // What sqlmigrate printed has a headline for each operation, and says BEGIN and COMMIT itself,
        // unless the migration is `atomic = False`. Without headlines it is the SQL of a RunSQL, which
        // stands in the migration's transaction.
        without_transaction: &["--\n-- ", "--\r\n-- "],
        source: "Django 5.2: atomic = True; sqlmigrate prints BEGIN and COMMIT",
    },
    &Runner {
        name: "alembic",
        wraps: Wraps::File,
        waits_for_itself: false,
        // SQLite has them off unless somebody turns them on, and Alembic does not.
        foreign_keys: true,
        cannot_print: &[],
        books: &["alembic_version"],
        // Only where `transactional_ddl` is set, in alembic/ddl.
        no_transaction_on: &[Engine::MySql, Engine::MariaDb, Engine::Sqlite],
        // What `upgrade --sql` printed says BEGIN and COMMIT itself, where there is transactional DDL.
        without_transaction: &["-- Running upgrade ", "-- Running downgrade ", "-- Running stamp"],
        source: "Alembic 1.20: transactional DDL; upgrade --sql prints BEGIN and COMMIT",
    },
    &Runner {
        name: "rails",
        wraps: Wraps::File,
        waits_for_itself: false,
        foreign_keys: true,
        cannot_print: &[],
        books: &["schema_migrations", "ar_internal_metadata"],
        // Migrator#use_transaction?: only where `supports_ddl_transactions?`.
        no_transaction_on: &[Engine::MySql, Engine::MariaDb],
        without_transaction: &["disable_ddl_transaction!"],
        source: "Active Record: each migration in a transaction, under a session advisory lock",
    },
    &Runner {
        name: "efcore",
        wraps: Wraps::No,
        waits_for_itself: false,
        foreign_keys: true,
        cannot_print: &[],
        books: &["__EFMigrationsHistory", "__efmigrationshistory"],
        no_transaction_on: &[],
        without_transaction: &[],
        source: "EF Core: the script holds START TRANSACTION and COMMIT itself",
    },
    &Runner {
        name: "typeorm",
        // src/migration/MigrationExecutor.ts: `all` is the default; with a `transaction = false` among
        // the migrations it refuses to run, so the mode is then another.
        wraps: Wraps::Together,
        waits_for_itself: false,
        // AbstractSqliteQueryRunner.beforeMigration turns them off.
        foreign_keys: false,
        cannot_print: &[],
        books: &["migrations", "typeorm_metadata"],
        no_transaction_on: &[],
        without_transaction: &[crate::sql::NO_TRANSACTION],
        source: "TypeORM 1.1: all pending migrations in one transaction by default",
    },
];

impl Runner {
    /// A runner by its name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let aliases =
            [("mysql", "psql"), ("sqlite3", "psql"), ("plain", "psql"), ("diesel", "sqlx")];
        let name = aliases.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, of)| of);
        ALL.iter().copied().find(|runner| runner.name == name)
    }

    /// Whether it opens a transaction for this file.
    #[must_use]
    pub fn opens_transaction(&self, engine: Engine, text: &str) -> bool {
        match self.wraps {
            _ if self.no_transaction_on.contains(&engine) => false,
            Wraps::No => false,
            Wraps::OneString => true,
            Wraps::File | Wraps::Together => {
                !self.without_transaction.iter().any(|mark| text.contains(mark))
            }
        }
    }

    /// Whether it runs these files in one transaction.
    pub fn runs_together<'a>(
        &self,
        engine: Engine,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        let opens = |text| self.opens_transaction(engine, text);
        self.wraps == Wraps::Together && texts.into_iter().all(opens)
    }

    /// Whether a table is where it keeps its own books.
    #[must_use]
    pub fn keeps(&self, table: &str) -> bool {
        self.books.iter().any(|book| book.eq_ignore_ascii_case(table))
    }
}
