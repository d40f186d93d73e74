//! From text to [`JobSpec`]: unknown fields, types and limits, each with its place.

use std::time::Duration;

use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use super::error::place_of;
use super::{JobSpec, SpecError};
use crate::catalog::closest;

/// Reads a job spec. `file` is only used in messages.
///
/// # Errors
///
/// The first thing that is wrong, with file, line, column, and the nearest known field.
pub fn parse(file: &str, text: &str) -> Result<JobSpec, SpecError> {
    Document { file, text }.parse()
}

struct Document<'a> {
    file: &'a str,
    text: &'a str,
}

impl Document<'_> {
    fn parse(&self) -> Result<JobSpec, SpecError> {
        if self.text.trim().is_empty() {
            return Err(self.error(
                None,
                "the file is empty; a job needs at least [job] name, [target] url_env, \
                 and [update] table and set (`backstop schema job` shows every field)",
            ));
        }
        let tree = DeTable::parse(self.text).map_err(|e| self.toml_error(&e))?;
        let schema = super::json_schema();
        self.refuse_unknown(tree.get_ref(), &schema, &schema, "")?;
        let spec: JobSpec = toml::from_str(self.text).map_err(|e| self.toml_error(&e))?;
        self.refuse_unfit(&spec, tree.get_ref())?;
        Ok(spec)
    }

    fn error(&self, span: Option<std::ops::Range<usize>>, message: impl Into<String>) -> SpecError {
        SpecError {
            file: self.file.to_owned(),
            place: span.map(|span| place_of(self.text, span.start)),
            message: message.into(),
        }
    }

    fn toml_error(&self, error: &toml::de::Error) -> SpecError {
        let message = error.message().trim().replace('\n', "; ");
        self.error(error.span(), message)
    }

    /// Compares the tree with the schema, so that the list of known fields is the struct itself.
    fn refuse_unknown(
        &self,
        table: &DeTable<'_>,
        schema: &Json,
        root: &Json,
        path: &str,
    ) -> Result<(), SpecError> {
        let Some(known) = schema.get("properties").and_then(Json::as_object) else {
            return Ok(());
        };
        for (name, value) in table {
            let Some(field) = known.get(name.get_ref().as_ref()) else {
                let message = unknown(name.get_ref(), path, known, root);
                return Err(self.error(Some(name.span()), message));
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.refuse_unknown(inner, resolve(field, root), root, name.get_ref())?;
            }
        }
        Ok(())
    }

    fn refuse_unfit(&self, spec: &JobSpec, tree: &DeTable<'_>) -> Result<(), SpecError> {
        let at = |path: &[&str], message: String| Err(self.error(span_of(tree, path), message));
        let name = &spec.job.name;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.is_empty() || 63 < name.len() || !name.chars().all(fits) {
            return at(
                &["job", "name"],
                format!(
                    "`{name}` cannot be a job's name: it names journal rows, locks and metrics, so \
                     use 1 to 63 lower-case letters, digits, `-` and `_`"
                ),
            );
        }
        match (&spec.target.url_env, &spec.target.url) {
            (Some(_), None) => {}
            (None, Some(url)) => {
                if has_literal_password(url) {
                    return at(
                        &["target", "url"],
                        "a password stands in the file, where everyone who reads the repository \
                         sees it; write `${VAR}` in its place, or use `url_env`"
                            .to_owned(),
                    );
                }
            }
            (None, None) => {
                return at(
                    &["target"],
                    "the target has no URL; add `url_env = \"DATABASE_URL\"` (the variable that \
                     holds it) or `url` with `${VAR}` for the password"
                        .to_owned(),
                );
            }
            (Some(_), Some(_)) => {
                return at(
                    &["target", "url"],
                    "both `url_env` and `url` are given; keep one".to_owned(),
                );
            }
        }
        if spec.update.set.0.is_empty() {
            return at(
                &["update", "set"],
                "`set` assigns nothing; write for example set = { total_cents = \"total * 100\" }"
                    .to_owned(),
            );
        }
        for (column, expression) in &spec.update.set.0 {
            if expression.trim().is_empty() {
                return at(
                    &["update", "set"],
                    format!("the expression for `{column}` is empty; to clear it write \"NULL\""),
                );
            }
        }
        for (path, text) in [
            (["update", "where"], &spec.update.filter),
            (["verify", "expect"], &spec.verify.expect),
        ] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                return at(&path, format!("`{}` is empty; leave it out instead", path[1]));
            }
        }
        if !(1..=1_000_000).contains(&spec.batch.max_rows) {
            return at(
                &["batch", "max_rows"],
                format!("`max_rows` is {}, and must be 1 to 1000000", spec.batch.max_rows),
            );
        }
        if !(1..=64).contains(&spec.batch.workers) {
            return at(
                &["batch", "workers"],
                format!("`workers` is {}, and must be 1 to 64", spec.batch.workers),
            );
        }
        let limits = Duration::from_millis(1)..=Duration::from_mins(1);
        if let Some(time) = spec.batch.target_time.filter(|time| !limits.contains(&time.0)) {
            return at(
                &["batch", "target_time"],
                format!(
                    "a batch of `{time}` is not sensible: one batch is one transaction, whose locks \
                     the application waits for; use 1ms to 1m"
                ),
            );
        }
        if let Some(time) = spec.batch.pause.filter(|time| Duration::from_hours(1) < time.0) {
            return at(
                &["batch", "pause"],
                format!("a pause of `{time}` after every batch is longer than an hour"),
            );
        }
        if spec.batch.key.as_ref().is_some_and(Vec::is_empty) {
            return at(
                &["batch", "key"],
                "`key` names no column; leave it out to walk the primary key".to_owned(),
            );
        }
        Ok(())
    }
}

fn unknown(name: &str, path: &str, known: &serde_json::Map<String, Json>, root: &Json) -> String {
    let what = if path.is_empty() { "section" } else { "field" };
    let place = if path.is_empty() { String::new() } else { format!(" in [{path}]") };
    let near = closest(name, known.keys().map(String::as_str));
    let elsewhere =
        root["properties"].as_object().into_iter().flatten().find(|(section, field)| {
            section.as_str() != path && resolve(field, root)["properties"].get(name).is_some()
        });
    let advice = match (near.first(), elsewhere) {
        (Some(near), _) => format!("; did you mean `{near}`?"),
        (None, Some((section, _))) => format!("; it belongs in [{section}]"),
        (None, None) => {
            let all: Vec<_> = known.keys().map(|key| format!("`{key}`")).collect();
            format!("; known here: {}", all.join(", "))
        }
    };
    format!("unknown {what} `{name}`{place}{advice}")
}

fn resolve<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    schema
        .get("$ref")
        .and_then(Json::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}

fn span_of(tree: &DeTable<'_>, path: &[&str]) -> Option<std::ops::Range<usize>> {
    let (first, rest) = path.split_first()?;
    let (_, value) = tree.iter().find(|(name, _)| name.get_ref() == first)?;
    match value.get_ref() {
        DeValue::Table(inner) if !rest.is_empty() => {
            span_of(inner, rest).or_else(|| Some(value.span()))
        }
        _ => Some(value.span()),
    }
}

/// Whether the user part of the URL holds a password that is not a variable.
fn has_literal_password(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let in_user_part = rest
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty() && !is_variable(password));
    let in_query = rest.split_once('?').is_some_and(|(_, query)| {
        query.split('&').any(|pair| {
            pair.split_once('=').is_some_and(|(name, value)| {
                name.eq_ignore_ascii_case("password") && !is_variable(value)
            })
        })
    });
    in_user_part || in_query
}

fn is_variable(text: &str) -> bool {
    text.starts_with("${") && text.ends_with('}')
}
