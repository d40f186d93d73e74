//! The references of the file formats, from the fields' own doc comments.

use serde_json::Value;

use super::{config_schema, job_schema};

/// Every field of a job spec, as Markdown: what `docs/job-spec.md` holds.
#[must_use]
pub fn job_reference() -> String {
    let head = "# The job spec\n\nMade from the fields themselves (`backstop schema job` prints them \
                as JSON Schema); a test compares.\n";
    format!("{head}{}", sections(&job_schema()))
}

/// Every field of `backstop.toml`, as Markdown: what `docs/config.md` holds.
#[must_use]
pub fn config_reference() -> String {
    let head = "# The config file\n\n`backstop.toml` holds what belongs to the team and not to one \
                job. It is looked for upward from the working directory; the nearest one counts, \
                alone. `backstop init` writes one to begin with, and `backstop plan` says which one \
                is used. Made from the fields themselves (`backstop schema config` prints them as \
                JSON Schema); a test compares.\n";
    format!("{head}{}", sections(&config_schema()))
}

fn sections(schema: &Value) -> String {
    let mut text = String::new();
    for (section, field) in schema["properties"].as_object().into_iter().flatten() {
        // A section that may be left out is one of two: itself, or nothing.
        let itself = field["anyOf"].as_array().and_then(|all| all.first()).unwrap_or(field);
        let reference = itself["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
        let section_schema = reference.and_then(|path| schema.pointer(path)).unwrap_or(field);
        let about = field["description"].as_str().or(section_schema["description"].as_str());
        text.push_str(&format!("\n## [{section}]\n\n{}\n\n", flat(about.unwrap_or_default())));
        text.push_str("| field | type | meaning |\n| --- | --- | --- |\n");
        let required = section_schema["required"].as_array().cloned().unwrap_or_default();
        for (name, field) in section_schema["properties"].as_object().into_iter().flatten() {
            let needed =
                if required.contains(&Value::from(name.as_str())) { " (required)" } else { "" };
            text.push_str(&format!(
                "| `{name}`{needed} | {} | {} |\n",
                type_name(field, schema),
                flat(field["description"].as_str().unwrap_or_default()).replace('|', "\\|"),
            ));
        }
    }
    text
}

fn flat(description: &str) -> String {
    description.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn type_name(field: &Value, root: &Value) -> String {
    let alternatives = field["anyOf"].as_array();
    let field = alternatives.and_then(|all| all.first()).unwrap_or(field);
    if let Some(path) = field["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        return match path.rsplit('/').next() {
            Some("Duration") => "duration".to_owned(),
            Some("Size") => "number of bytes".to_owned(),
            Some("Share") => "share".to_owned(),
            Some("Assignments") => "table".to_owned(),
            _ => root.pointer(path).map_or_else(String::new, |found| type_name(found, root)),
        };
    }
    if let Some(values) = field["oneOf"].as_array() {
        let values = values.iter().filter_map(|value| value["const"].as_str());
        return values.map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ");
    }
    let name = match &field["type"] {
        Value::String(name) => name.as_str(),
        Value::Array(names) => names.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    };
    match name {
        "object" if field["properties"].is_object() => {
            let fields = field["properties"].as_object().into_iter().flatten();
            let fields =
                fields.map(|(name, inner)| format!("`{name}`: {}", type_name(inner, root)));
            format!("table of {}", fields.collect::<Vec<_>>().join(", "))
        }
        "array" => "list of strings".to_owned(),
        name => name.to_owned(),
    }
}
