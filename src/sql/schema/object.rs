//! Triggers, rules, policies, routines, and what belongs to the database as a whole, applied.

use super::apply::drop_from;
use super::{Routine, Rule, Schema, Trigger, of_table, plain};
use crate::sql::statement::{
    Body, Call, Maintenance, Name, ObjectAction, PREPARED, Signature, TableObject, What,
};
use crate::sql::{Tokens, mentions};

/// Calls within calls are followed so far: a function may call itself.
const DEEPEST_CALL: usize = 8;

/// Whether a body may do more than read and write rows.
fn changes(body: &Body) -> bool {
    let rows = |what: &What| matches!(what, What::Dml(_) | What::Set(_) | What::Other);
    body.statements.iter().any(|statement| !rows(&statement.what))
}

impl Schema {
    pub(super) fn apply_object(&mut self, what: &What) {
        match what {
            What::CreateTrigger {
                name, table, mentions, events, transitions, body, calls, ..
            } => {
                let kept = if calls.is_some() { of_table(table, name) } else { plain(name) };
                let body = body.as_ref().map(|body| body.text.clone()).unwrap_or_default();
                let trigger = Trigger {
                    table: plain(table),
                    mentions: mentions.clone(),
                    events: events.clone(),
                    transitions: transitions.clone(),
                    body,
                    calls: calls.as_ref().map(plain),
                };
                self.triggers.insert(kept, trigger);
            }
            What::TableObject {
                table: Some(table),
                of,
                name,
                action,
                event,
                instead,
                reads,
                writes,
                mentions,
                ..
            } => {
                let key = (plain(table), *of, name.name.clone());
                match action {
                    ObjectAction::Create => drop(self.dependents.insert(key, mentions.clone())),
                    ObjectAction::Drop => drop(self.dependents.remove(&key)),
                    ObjectAction::Alter => {}
                }
                if *of == TableObject::Rule {
                    let rule = Rule {
                        table: plain(table),
                        event: *event,
                        instead: *instead,
                        reads: reads.iter().map(plain).collect(),
                        writes: writes.clone(),
                    };
                    self.apply_rule(name, *action, rule);
                }
            }
            What::CreateRoutine { name, body, signature } => {
                self.add_routine(plain(name), body.clone().unwrap_or_default(), signature);
            }
            What::CreateNamed { of, name, .. } => {
                self.named.insert((*of, name.clone()));
            }
            What::DropNamed { of, drop } => {
                for name in &drop.names {
                    self.named.remove(&(*of, name.name.clone()));
                }
            }
            What::CreateSchema { elements, .. } => {
                for element in elements {
                    self.apply(element);
                }
            }
            What::Maintenance { of: Maintenance::Cluster { named: true }, tables } => {
                for table in tables {
                    if let Some(table) = self.tables.get_mut(&plain(table)) {
                        table.options.insert("clustered".to_owned(), String::new());
                    }
                }
            }
            What::Do(body) => self.apply_body(body, 0),
            What::Query(query) => self.apply_calls(&query.calls, 0),
            _ => {}
        }
    }

    /// A block has run. Where it branches, nobody knows what of it: then what it makes counts as
    /// there, and from what is not here nothing is concluded any more.
    fn apply_body(&mut self, body: &Body, depth: usize) {
        if body.language == PREPARED || depth == DEEPEST_CALL {
            return;
        }
        let mut words = ["if", "case", "loop", "exception"].iter();
        let branches = words.any(|word| mentions(Tokens::Postgres, &body.text, word));
        for statement in &body.statements {
            match &statement.what {
                What::Query(query) => self.apply_calls(&query.calls, depth + 1),
                What::Dml(_) | What::Set(_) | What::Transaction(_) | What::Other => {}
                What::Do(inner) => self.apply_body(inner, depth + 1),
                What::CreateTable(table) if branches && self.has(&table.name) => {}
                what => {
                    let judging = self.judging;
                    self.judging &= !branches;
                    self.apply(statement);
                    self.judging = judging;
                    self.complete &= !branches;
                    if let What::AlterTable(alter) = what
                        && branches
                        && let Some(table) = self.tables.get_mut(&plain(&alter.name))
                    {
                        table.whole = false;
                    }
                }
            }
        }
    }

    /// What the functions that are called, and were seen, do to the schema.
    fn apply_calls(&mut self, calls: &[Call], depth: usize) {
        for (name, _) in calls {
            let bare = name.replace('"', "");
            let name = match bare.split_once('.') {
                Some((schema, name)) => {
                    Name { schema: Some(schema.to_owned()), name: name.to_owned() }
                }
                None => Name::plain(bare),
            };
            let routine = self.routines.get(&plain(&name));
            let body = routine.map(|routine| &routine.body).filter(|body| changes(body));
            if let Some(body) = body.cloned() {
                self.apply_body(&body, depth + 1);
            }
        }
    }

    /// A rule is followed by what its statements read and write.
    fn apply_rule(&mut self, name: &Name, action: ObjectAction, rule: Rule) {
        let kept = of_table(&rule.table, name);
        match action {
            ObjectAction::Create => drop(self.rules.insert(kept, rule)),
            ObjectAction::Drop => drop_from(&mut self.rules, &kept),
            ObjectAction::Alter => {}
        }
    }

    /// A routine takes the place of one with the same parameters. With others it stands beside it,
    /// and which of them a call means is the server's to say: so the name stands for all of them.
    fn add_routine(&mut self, name: Name, mut body: Body, signature: &Signature) {
        let mut signature = signature.clone();
        if let Some(have) = self.routines.remove(&name)
            && have.signature.parameters != signature.parameters
        {
            body.statements.extend(have.body.statements);
            body.unread.extend(have.body.unread);
            body.text = format!("{}\n{}", have.body.text, body.text);
            if have.body.language != body.language && have.body.language != "sql" {
                body.language = have.body.language;
            }
            if have.signature.returns != signature.returns {
                signature.returns.clear();
            }
            if let Some(names) = have.signature.mentions {
                signature.mentions.get_or_insert_default().extend(names);
            }
        }
        self.routines.insert(name, Routine { body, signature });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Release;
    use crate::sql::{Source, parse};

    fn after(text: &str) -> Schema {
        let mut schema = Schema { complete: true, ..Schema::default() };
        let source = Source::of(Release::parse("postgres-18").unwrap());
        for statement in &parse(source, text).statements {
            schema.apply(statement);
        }
        schema
    }

    #[test]
    fn what_a_block_has_made_is_there() {
        let block = after(
            "CREATE TABLE t (id bigint); \
             DO $$ BEGIN ALTER TABLE t ADD COLUMN a integer; CREATE TABLE u (id bigint); END $$; \
             CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE u ADD b text; CALL p(); \
             END $$; CALL p()",
        );
        let has = |table: &str, column: &str| block.column(&Name::plain(table), column).is_some();
        assert!(has("t", "a") && has("u", "id") && has("u", "b") && block.complete);
    }

    /// Its drop may not have run, and what it would have made may have stood there before.
    #[test]
    fn of_a_block_that_branches_nothing_is_concluded_from_what_is_not_here() {
        let schema = after(
            "CREATE TABLE t (id bigint, a text); \
             DO $$ BEGIN IF x() THEN ALTER TABLE t ADD COLUMN b integer; CREATE TABLE t (c text); \
             END IF; END $$",
        );
        let table = schema.table(&Name::plain("t")).unwrap();
        assert!(table.column("a").is_some() && table.column("b").is_some());
        assert!(!table.whole && !schema.complete);
    }
}
