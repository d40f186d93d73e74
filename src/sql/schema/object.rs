//! Triggers, rules, policies, routines, and what belongs to the database as a whole, applied.

use super::apply::drop_from;
use super::{Routine, Rule, Schema, Trigger, of_table, plain};
use crate::sql::statement::{
    Body, Maintenance, Name, ObjectAction, Signature, TableObject, Verb, What,
};

impl Schema {
    pub(super) fn apply_object(&mut self, what: &What) {
        match what {
            What::CreateTrigger { name, table, mentions, events, body, calls, .. } => {
                let kept = if calls.is_some() { of_table(table, name) } else { plain(name) };
                let body = body.as_ref().map(|body| body.text.clone()).unwrap_or_default();
                let trigger = Trigger {
                    table: plain(table),
                    mentions: mentions.clone(),
                    events: events.clone(),
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
                    self.apply_rule(table, name, *action, *event, (reads, writes));
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
            _ => {}
        }
    }

    /// A rule is followed by what its statements read and write.
    fn apply_rule(
        &mut self,
        table: &Name,
        name: &Name,
        action: ObjectAction,
        event: Option<Verb>,
        (reads, writes): (&[Name], &[Name]),
    ) {
        let kept = of_table(table, name);
        let all = |names: &[Name]| names.iter().map(plain).collect();
        match action {
            ObjectAction::Create => {
                let rule =
                    Rule { table: plain(table), event, reads: all(reads), writes: all(writes) };
                self.rules.insert(kept, rule);
            }
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
