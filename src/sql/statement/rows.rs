//! Statements that write or read rows, and code that runs statements.

use super::{Name, Statement};

/// A call of a function: its name in lower case, and its arguments as written.
pub type Call = (String, Vec<String>);

/// A statement that writes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dml {
    /// How.
    pub verb: Verb,
    /// The table that is written; none if it could not be found.
    pub table: Option<Name>,
    /// PostgreSQL: `ONLY`, without the tables below.
    pub only: bool,
    /// Other relations that it reads.
    pub reads: Vec<Name>,
    /// PostgreSQL: the functions that it calls.
    pub calls: Vec<Call>,
    /// Whether it has a `WHERE` (or, of `INSERT`, stands for a counted list of rows).
    pub bounded: bool,
    /// The columns that an `INSERT` names; none means all.
    pub columns: Vec<String>,
    /// PostgreSQL: the rows of `VALUES`, each value as written, of an `INSERT` with few of them;
    /// otherwise none.
    pub rows: Vec<Vec<String>>,
    /// The assignments of an `UPDATE` (or of PostgreSQL's `ON CONFLICT DO UPDATE`), column and
    /// expression, as written.
    pub set: Vec<(String, String)>,
    /// The predicate as written.
    pub predicate: Option<String>,
    /// PostgreSQL: the branches of a `MERGE`, each as the statement that it stands for.
    pub branches: Vec<Self>,
    /// PostgreSQL: the other writes of the same statement, which stand in its `WITH`.
    pub with: Vec<Self>,
}

impl Dml {
    /// One that says nothing else.
    #[must_use]
    pub fn new(verb: Verb, table: Option<Name>) -> Self {
        Self {
            verb,
            table,
            only: false,
            reads: Vec::new(),
            calls: Vec::new(),
            bounded: false,
            columns: Vec::new(),
            rows: Vec::new(),
            set: Vec::new(),
            predicate: None,
            branches: Vec::new(),
            with: Vec::new(),
        }
    }
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `INSERT … VALUES`.
    Insert,
    /// `INSERT … SELECT`.
    InsertSelect,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `MERGE`.
    Merge,
    /// `REPLACE` of MySQL, MariaDB and SQLite.
    Replace,
    /// `COPY … FROM`, `LOAD DATA`.
    Load,
}

/// A statement that reads rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The relations that it reads.
    pub reads: Vec<Name>,
    /// PostgreSQL: those of them that it reads with `ONLY`, without the tables below.
    pub only: Vec<Name>,
    /// Whether it locks the rows that it reads (`FOR UPDATE`).
    pub locks_rows: bool,
    /// PostgreSQL: those of the relations whose rows it locks.
    pub locked: Vec<Name>,
    /// The functions that it calls.
    pub calls: Vec<Call>,
}

/// Code that runs statements.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body {
    /// The language, in lower case: `sql`, `plpgsql`.
    pub language: String,
    /// The statements in it that stand there as text, in order.
    pub statements: Vec<Statement>,
    /// Why some of it could not be looked into, as the end of a sentence: dynamic SQL, a routine
    /// that is called, another language.
    pub unread: Vec<String>,
    /// The text of the body.
    pub text: String,
}

/// PostgreSQL: what is known of a routine besides its body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// Its parameters, as written: routines of one name differ in these.
    pub parameters: String,
    /// The type that it returns, in lower case; nothing for a procedure.
    pub returns: String,
    /// Of a body that is no text (`BEGIN ATOMIC`, `RETURN`), the names in it: it depends on what
    /// they name.
    pub mentions: Option<Vec<String>>,
}
