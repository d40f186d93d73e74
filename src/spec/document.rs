//! From text to [`JobSpec`]: what the types alone cannot refuse, with its place.

use super::{KEEP, MAX_LOG, MAX_ROWS, TARGET_TIMES, WORKERS};
use std::time::Duration;

use toml::de::DeTable;

use super::fields::{Document, Other, unusable_path};
use super::{JobSpec, SpecError, Walk, restraint};

/// Reads a job spec. `file` is only used in messages.
///
/// # Errors
///
/// The first thing that is wrong, with file, line, column, and the nearest known field.
pub fn parse(file: &str, text: &str) -> Result<JobSpec, SpecError> {
    let document = Document { file, text };
    if text.trim().is_empty() {
        return Err(document.error(
            None,
            "the file is empty; a job needs at least [job] name, [target] url_env, \
             and [update] table and set (`backstop schema job` shows every field)",
        ));
    }
    let other = Other { name: "`backstop.toml`", schema: super::config_schema() };
    let (spec, tree) = document.read(&super::job_schema(), &other)?;
    refuse_unfit(&document, &spec, &tree)?;
    Ok(spec)
}

fn refuse_unfit(
    document: &Document<'_>,
    spec: &JobSpec,
    tree: &DeTable<'_>,
) -> Result<(), SpecError> {
    let at = |path: &[&str], message: String| Err(document.at(tree, path, message));
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
    if spec.update.exactly_once && !spec.update.fence {
        return at(
            &["update", "fence"],
            "`exactly_once = true` needs the fence, which is what keeps a row from being written \
             twice; take `fence = false` out"
                .to_owned(),
        );
    }
    for (path, text) in [
        (["update", "partition"], &spec.update.partition),
        (["update", "where"], &spec.update.filter),
        (["verify", "expect"], &spec.verify.expect),
        (["verify", "changed_at"], &spec.verify.changed_at),
    ] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
            return at(&path, format!("`{}` is empty; leave it out instead", path[1]));
        }
    }
    if !MAX_ROWS.contains(&spec.batch.max_rows) {
        return at(
            &["batch", "max_rows"],
            format!("`max_rows` is {}, and must be 1 to 1000000", spec.batch.max_rows),
        );
    }
    if let Some(size) = spec.batch.max_log.filter(|size| !MAX_LOG.contains(size)) {
        return at(
            &["batch", "max_log"],
            format!("`max_log` is {size}, and must be {} to {}", MAX_LOG.start(), MAX_LOG.end()),
        );
    }
    if !WORKERS.contains(&spec.batch.workers) {
        return at(
            &["batch", "workers"],
            format!("`workers` is {}, and must be 1 to 64", spec.batch.workers),
        );
    }
    if let Some(time) = spec.batch.target_time.filter(|time| !TARGET_TIMES.contains(&time.0)) {
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
    if spec.batch.walk == Walk::Predicate && spec.update.filter.is_none() {
        return at(
            &["batch", "walk"],
            "`walk = \"predicate\"` walks the rows that match `where`, and there is none; add a \
             `where` to [update], or leave `walk` out"
                .to_owned(),
        );
    }
    if spec.undo.is_some() && !spec.update.fence {
        return at(
            &["update", "fence"],
            "[undo] needs the fence: only there is it known what a job has written and that it was \
             undone; take `fence = false` out, or [undo]"
                .to_owned(),
        );
    }
    if let Some(keep) = spec.undo.as_ref().map(|undo| undo.keep).filter(|k| !KEEP.contains(&k.0)) {
        return at(
            &["undo", "keep"],
            format!("`keep` is {keep}, and must be 1h to 3650d: whoever undoes a job needs hours"),
        );
    }
    match (spec.verify.sample, &spec.verify.expect) {
        (Some(0), _) => {
            return at(
                &["verify", "sample"],
                "a `sample` of 0 rows shows nothing; to leave the check out take `expect` out"
                    .to_owned(),
            );
        }
        (Some(_), None) => {
            return at(
                &["verify", "sample"],
                "`sample` says for how many rows `expect` is evaluated, and there is none; add an \
                 `expect`, or leave `sample` out"
                    .to_owned(),
            );
        }
        _ => {}
    }
    if let Some((path, message)) = restraint::first_wrong(spec) {
        return at(&path, message);
    }
    let kill_file = spec.control.kill_file.as_deref();
    if let Some(message) = kill_file.and_then(|path| unusable_path("kill_file", path)) {
        return at(&["control", "kill_file"], message);
    }
    Ok(())
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
