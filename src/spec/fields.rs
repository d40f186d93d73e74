//! What the file formats share: unknown fields are refused, and every error has its place.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use toml::de::{DeTable, DeValue};

use super::SpecError;
use super::error::place_of;
use crate::catalog::closest;

/// A file's text under its name in messages.
pub(super) struct Document<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

/// The other file format: who writes its field here is told so.
pub(super) struct Other {
    /// What it is called in messages.
    pub name: &'static str,
    /// Its schema.
    pub schema: Json,
}

impl<'a> Document<'a> {
    /// Reads the text as a `T` whose schema is `schema`, and gives the tree for further checks.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        schema: &Json,
        other: &Other,
    ) -> Result<(T, DeTable<'a>), SpecError> {
        let tree = DeTable::parse(self.text).map_err(|e| self.toml_error(&e))?.into_inner();
        self.refuse_unknown(&tree, schema, &Known { root: schema, other }, "")?;
        let value = toml::from_str(self.text).map_err(|e| self.toml_error(&e))?;
        Ok((value, tree))
    }

    pub(super) fn error(
        &self,
        span: Option<std::ops::Range<usize>>,
        message: impl Into<String>,
    ) -> SpecError {
        SpecError {
            file: self.file.to_owned(),
            place: span.map(|span| place_of(self.text, span.start)),
            message: message.into(),
        }
    }

    /// An error at the value of a field.
    pub(super) fn at(&self, tree: &DeTable<'_>, path: &[&str], message: String) -> SpecError {
        self.error(span_of(tree, path), message)
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
        known: &Known<'_>,
        path: &str,
    ) -> Result<(), SpecError> {
        let Some(fields) = schema.get("properties").and_then(Json::as_object) else {
            return Ok(());
        };
        for (name, value) in table {
            let Some(field) = fields.get(name.get_ref().as_ref()) else {
                let message = known.unknown(name.get_ref(), path, fields);
                return Err(self.error(Some(name.span()), message));
            };
            if let DeValue::Table(inner) = value.get_ref() {
                let inside = if path.is_empty() {
                    name.get_ref().to_string()
                } else {
                    format!("{path}.{}", name.get_ref())
                };
                self.refuse_unknown(inner, resolve(field, known.root), known, &inside)?;
            }
        }
        Ok(())
    }
}

/// Every field that there is, here and in the other format.
struct Known<'a> {
    root: &'a Json,
    other: &'a Other,
}

impl Known<'_> {
    fn unknown(&self, name: &str, path: &str, fields: &serde_json::Map<String, Json>) -> String {
        let what = if path.is_empty() { "section" } else { "field" };
        let place = if path.is_empty() { String::new() } else { format!(" in [{path}]") };
        let advice = if self.is_of_the_other(name, path) {
            format!("; it belongs in {}", self.other.name)
        } else if let Some(near) = closest(name, fields.keys().map(String::as_str)).first() {
            format!("; did you mean `{near}`?")
        } else if let Some(section) = self.section_with(name, path) {
            format!("; it belongs in [{section}]")
        } else {
            let all: Vec<_> = fields.keys().map(|key| format!("`{key}`")).collect();
            format!("; known here: {}", all.join(", "))
        };
        format!("unknown {what} `{name}`{place}{advice}")
    }

    fn is_of_the_other(&self, name: &str, path: &str) -> bool {
        let root = &self.other.schema;
        let section = if path.is_empty() { root } else { &root["properties"][path] };
        resolve(section, root)["properties"].get(name).is_some()
    }

    /// Another section of this format that has a field of that name.
    fn section_with(&self, name: &str, path: &str) -> Option<&str> {
        let sections = self.root["properties"].as_object()?;
        let has = |field| resolve(field, self.root)["properties"].get(name).is_some();
        let found = sections.iter().find(|(section, field)| section.as_str() != path && has(field));
        found.map(|(section, _)| section.as_str())
    }
}

/// The schema behind a reference, and of a field that may be left out that of its value.
fn resolve<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    let alternatives = schema.get("anyOf").and_then(Json::as_array);
    let schema = alternatives.and_then(|all| all.first()).unwrap_or(schema);
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

/// Why a path cannot be the value of `field`. A switch at a place that nobody means looks like one
/// that works, until it is needed: what a shell would have expanded is refused.
pub(super) fn unusable_path(field: &str, path: &str) -> Option<String> {
    if path.trim().is_empty() {
        return Some(format!("`{field}` is empty; leave it out instead"));
    }
    (path.starts_with('~') || path.contains('$')).then(|| {
        format!(
            "`{path}` would be taken to the letter: `~` and `$` are not expanded here, and a file \
             that nobody finds stops nothing; write the whole path"
        )
    })
}
