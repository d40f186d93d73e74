//! `backstop plan --grants`.

use std::path::Path;

use serde_json::json;

use super::exit::{Exit, Failure};
use super::{printer, runtime};
use crate::ops::{self, Grants};

pub(super) fn grants(spec: &Path, json: bool) -> Result<Exit, Failure> {
    if spec.is_dir() {
        return Err(Failure::usage(format!(
            "`{}` is a directory, and rights are a job's own: name one spec",
            spec.display()
        )));
    }
    let spec = ops::load_spec(spec)?;
    let schema = ops::load_config()?.config.fence.schema;
    let granted = runtime()?.block_on(ops::grants(&spec, schema.as_deref()));
    let Grants { tables, rights } = granted?;
    if json {
        printer::json(&json!({ "job": spec.job.name, "tables": tables, "rights": rights }));
        return Ok(Exit::Done);
    }
    let list = |statements: &[String]| {
        statements.iter().map(|sql| format!("{sql};\n")).collect::<Vec<_>>().concat()
    };
    let mut text = String::new();
    if tables.is_empty() {
        text.push_str("-- Backstop's two tables are there already.\n");
    } else {
        text.push_str("-- Backstop's tables: how far each job is, and the switch that stops it.\n");
        text.push_str(&list(&tables));
    }
    if rights.is_empty() {
        text.push_str(
            "\n-- Whoever may write the file may do everything: there is nothing to grant.\n",
        );
    } else {
        text.push_str(&format!(
            "\n-- What `{}` needs, and no more. Its own sessions it may cancel without a grant.\n",
            spec.job.name
        ));
        text.push_str(&list(&rights));
    }
    printer::data(text.trim_end());
    Ok(Exit::Done)
}
