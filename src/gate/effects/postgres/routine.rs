//! Code that runs now: blocks, procedures, functions that a statement calls.

use super::volatility::is_builtin;
use super::{Effects, Judge, Mode};
use crate::gate::Surroundings;
use crate::gate::effects::{Relation, Verdict};
use crate::sql::schema::{Schema, plain};
use crate::sql::statement::{Body, Call, Name, PREPARED, Statement, What};
use crate::sql::{Tokens, Use, mentions, read};

impl Judge<'_> {
    /// What its statements do together, whatever branch they stand in.
    pub(super) fn body(&mut self, body: &Body) {
        if let Some(why) = body.unread.first() {
            self.effects.verdict = Verdict::NotEvaluated(why.clone());
        }
        if body.language == PREPARED {
            self.look_through(&body.statements);
            return;
        }
        // What would be refused may stand in a branch that is not taken, or be caught.
        let mut words = ["if", "case", "loop", "exception"].iter();
        let branches = words.any(|word| mentions(Tokens::Postgres, &body.text, word));
        let changes = |statement: &Statement| {
            !matches!(statement.what, What::Query(_) | What::Dml(_) | What::Set(_) | What::Other)
        };
        // A copy of the schema is dear, and what only reads and writes rows leaves it as it is.
        let mut own: Option<Schema> =
            body.statements.iter().any(changes).then(|| self.around.schema.clone());
        // What it makes itself, nobody waits for.
        let mut made: Vec<Name> = Vec::new();
        for statement in &body.statements {
            let mut inner = Judge {
                around: Surroundings {
                    schema: own.as_ref().unwrap_or(self.around.schema),
                    in_transaction: true,
                    ..self.around
                },
                effects: Effects::none(),
                fired: self.fired.clone(),
                called: self.called.clone(),
                planned: self.planned,
                transitions: self.transitions.clone(),
            };
            inner.statement(&statement.what);
            let mut inner = inner.effects;
            if branches {
                inner.fails = None;
            }
            if let Some(schema) = &own {
                inner.forget(|name| {
                    let index = schema.indexes.get(name).map(|index| &index.table);
                    made.contains(name) || index.is_some_and(|table| made.contains(table))
                });
            }
            self.absorb(inner);
            if let Some(schema) = &mut own {
                made.extend(makes(&statement.what).filter(|name| !schema.has(name)));
                schema.apply(statement);
            }
        }
    }

    /// A body in SQL is looked through when its function is made: what it names is opened, and no
    /// row is touched. Other bodies are looked at when they run.
    pub(super) fn check_body(&mut self, body: &Body) {
        if body.language == "sql" {
            self.look_through(&body.statements);
        }
    }

    fn look_through(&mut self, statements: &[Statement]) {
        for statement in statements {
            let (reads, written) = match &statement.what {
                What::Query(query) => (&query.reads, None),
                What::Dml(dml) => (&dml.reads, dml.table.as_ref()),
                _ => continue,
            };
            for read in reads {
                self.lock(read, Mode::AccessShareLock);
            }
            if let Some(table) = written {
                self.lock(table, Mode::RowExclusiveLock);
            }
        }
    }

    /// A function that is called: what it does, if it was seen; PostgreSQL's own do nothing to
    /// tables but for those that count. Of any other nobody can tell.
    pub(super) fn call(&mut self, (name, arguments): &Call) {
        let bare = name.strip_prefix("pg_catalog.").unwrap_or(name);
        if matches!(bare, "nextval" | "setval") {
            self.lock_counter(arguments.first());
        }
        // One of the schema may have the name of one of PostgreSQL's, for other types.
        if self.follow(name) || is_builtin(bare, arguments.len()) || is_of_grammar(bare) {
            return;
        }
        self.effects.verdict =
            Verdict::NotEvaluated(format!("what the function `{name}` does stands elsewhere"));
    }

    /// Follows a call into a function that was seen, if it was.
    fn follow(&mut self, name: &str) -> bool {
        let bare = name.replace('"', "");
        let name = match bare.split_once('.') {
            Some((schema, name)) => Name { schema: Some(schema.to_owned()), name: name.to_owned() },
            None => Name::plain(bare),
        };
        let name = plain(&name);
        let Some(routine) = self.around.schema.routines.get(&name) else { return false };
        // It may call itself, or be called for each of many columns.
        if !self.called.contains(&name) {
            self.called.push(name);
            // The planner looks into a function in SQL, to put it in the place of the call.
            if self.planned {
                self.check_body(&routine.body);
            } else {
                self.body(&routine.body);
            }
        }
        true
    }

    /// A routine whose body is no text, and so depends on the relation.
    pub(super) fn routine_on(&self, relation: &Name) -> Option<Name> {
        let names = |mentions: &[String]| mentions.contains(&relation.name);
        let mut routines = self.around.schema.routines.iter();
        let found =
            routines.find(|(_, routine)| routine.signature.mentions.as_deref().is_some_and(names));
        found.map(|(name, _)| name.clone())
    }

    /// Whether a function is known not to return what triggers must.
    pub(super) fn returns_else(&self, function: &Name, wanted: &str) -> bool {
        let known = self.around.schema.routines.get(&plain(function));
        let returns = known.map(|routine| routine.signature.returns.as_str());
        returns.is_some_and(|ty| !ty.is_empty() && ty != wanted)
    }

    /// Follows the calls in an expression of the schema (a default, a check) into functions that
    /// were seen. Others run with every write of the application as well.
    pub(super) fn follow_expression(&mut self, expression: &str) {
        let Ok(reading) = read(Tokens::Postgres, expression) else { return };
        for used in &reading.uses {
            if let Use::Call(call) = used {
                let schema = call.schema.as_ref().map(|schema| format!("{schema}."));
                let name = format!("{}{}", schema.unwrap_or_default(), call.name);
                self.follow(&name.to_lowercase());
            }
        }
    }

    /// The sequence that a call names, if it names it there and then.
    fn lock_counter(&mut self, argument: Option<&String>) {
        let text = argument.and_then(|text| text.trim().strip_prefix('\''));
        let Some((named, _)) = text.and_then(|text| text.split_once('\'')) else { return };
        let name = match named.split_once('.') {
            Some((schema, name)) => Name { schema: Some(schema.to_owned()), name: name.to_owned() },
            None => Name::plain(named),
        };
        self.effects.lock(Relation::Sequence, &plain(&name), Mode::RowExclusiveLock);
    }
}

/// The relation that a statement makes.
fn makes(what: &What) -> impl Iterator<Item = Name> {
    let made = match what {
        What::CreateTable(table) => Some(plain(&table.name)),
        What::CreateView { name, .. } => Some(plain(name)),
        _ => None,
    };
    made.into_iter()
}

/// Aggregates, window functions, and what the grammar makes of words: `functions.txt` lists only
/// plain functions.
fn is_of_grammar(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "count",
        "sum",
        "avg",
        "min",
        "max",
        "bool_and",
        "bool_or",
        "every",
        "array_agg",
        "string_agg",
        "json_agg",
        "jsonb_agg",
        "json_object_agg",
        "jsonb_object_agg",
        "row_number",
        "rank",
        "dense_rank",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "ntile",
        "coalesce",
        "nullif",
        "greatest",
        "least",
        "exists",
        "percentile_cont",
        "percentile_disc",
        "mode",
        "stddev",
        "variance",
        "extract",
        "position",
        "substring",
        "trim",
        "overlay",
        "row",
        "array",
        "any",
        "some",
        "all",
        "grouping",
        "merge_action",
        "json_object",
        "json_array",
        "json_scalar",
        "json_value",
        "json_query",
        "json_exists",
        "xmlelement",
        "xmlforest",
        "cast",
        // Of extensions that come with the server; none of these touches a table.
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v3",
        "uuid_generate_v4",
        "uuid_generate_v5",
        "uuid_nil",
        "crypt",
        "gen_salt",
        "digest",
        "hmac",
        "unaccent",
        "similarity",
    ];
    NAMES.contains(&name)
}
