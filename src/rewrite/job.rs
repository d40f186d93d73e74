//! A write of many rows, as the spec of a job.

use std::fmt::Write as _;

use crate::catalog::{Engine, Release};
use crate::sql::statement::{Dml, Verb};

/// The spec of the job that does the same, ready to save. None for what is no job of one table.
#[must_use]
pub fn spec(dml: &Dml, server: Release) -> Option<String> {
    let table = dml.table.as_ref()?;
    let name = format!("{}-backfill", table.name.replace('_', "-"));
    let mut text = String::new();
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    if dml.verb != Verb::Update || dml.set.is_empty() || !dml.reads.is_empty() {
        let why = match dml.verb {
            Verb::Delete => "-- a job that deletes in batches:",
            _ => "-- a job, whose `set` reads the other table in a subquery:",
        };
        let example = match dml.verb {
            Verb::Delete => "[delete]",
            _ => "[update]",
        };
        let _ = writeln!(text, "{why}\n# jobs/{name}.toml");
        let _ = writeln!(
            text,
            "[job]\nname = {}\n\n{example}\ntable = {}",
            quoted(&name),
            quoted(&table.to_string())
        );
        return Some(text);
    }
    let url = match server.engine {
        Engine::Postgres | Engine::MySql | Engine::MariaDb => "DATABASE_URL",
        Engine::Sqlite => "DATABASE_URL",
    };
    let _ = writeln!(text, "# jobs/{name}.toml, run with: backstop run jobs/{name}.toml");
    let _ =
        writeln!(text, "[job]\nname = {}\n\n[target]\nurl_env = {}\n", quoted(&name), quoted(url));
    let _ = writeln!(text, "[update]\ntable = {}", quoted(&table.to_string()));
    let set: Vec<String> =
        dml.set.iter().map(|(column, value)| format!("{} = {}", column, quoted(value))).collect();
    let _ = writeln!(text, "set = {{ {} }}", set.join(", "));
    if let Some(predicate) = &dml.predicate {
        let _ = writeln!(
            text,
            "where = {}",
            quoted(&predicate.split_whitespace().collect::<Vec<_>>().join(" "))
        );
    }
    Some(text)
}
