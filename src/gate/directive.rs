//! What a migration says to the gate, in its comments: `-- backstop: …`.
//!
//! - `forward-only`: there is no way back, and nobody pretends that there is.
//! - `phase expand`, `phase contract of FILE [job=NAME]`: which half of a change this is.
//! - `allow RULE reason="…" [owner=…] [until=2026-12-31]`: the next statement may do it.

use std::ops::Range;

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Where the comment stands, in bytes.
    pub span: Range<usize>,
    /// What it says.
    pub what: Said,
}

/// What a directive says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// `forward-only`
    ForwardOnly,
    /// `phase expand`
    Expand,
    /// `phase contract of FILE [job=NAME]`
    Contract {
        /// The migration that made what this one cleans up after.
        of: String,
        /// The job that moved the data.
        job: Option<String>,
    },
    /// `allow RULE …`
    Allow {
        /// The rule, by its id.
        rule: String,
        /// Why.
        reason: Option<String>,
        /// Who answers for it.
        owner: Option<String>,
        /// The last day on which it holds.
        until: Option<String>,
    },
    /// It begins like a directive and is none; why, in a sentence.
    Unreadable(String),
}

/// The directives in a comment: one a line.
#[must_use]
pub fn directives(text: &str, comment: Range<usize>) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut start = comment.start;
    for line in text[comment].split_inclusive('\n') {
        let place = start..start + line.trim_end().len();
        start += line.len();
        let line = line.trim().trim_start_matches(['-', '#', '/', '*', ' ', '\t']);
        let line = line.trim_end_matches("*/").trim_end();
        if let Some(rest) = line.strip_prefix("backstop:") {
            found.push(Directive { span: place, what: said(rest.trim()) });
        }
    }
    found
}

fn said(text: &str) -> Said {
    let words = match words(text) {
        Ok(words) => words,
        Err(why) => return Said::Unreadable(why),
    };
    let plain: Vec<&str> = words.iter().map(String::as_str).collect();
    match plain.as_slice() {
        ["forward-only"] => Said::ForwardOnly,
        ["phase", "expand"] => Said::Expand,
        ["phase", "contract", "of", file, rest @ ..] => match values(rest, &["job"]) {
            Ok(values) => {
                Said::Contract { of: (*file).to_owned(), job: values.into_iter().next().flatten() }
            }
            Err(why) => Said::Unreadable(why),
        },
        ["phase", ..] => {
            Said::Unreadable("a phase is `phase expand` or `phase contract of FILE`".to_owned())
        }
        ["allow", rule, rest @ ..] => match values(rest, &["reason", "owner", "until"]) {
            Ok(values) => {
                let mut values = values.into_iter();
                let mut next = || values.next().flatten();
                Said::Allow {
                    rule: (*rule).to_owned(),
                    reason: next(),
                    owner: next(),
                    until: next(),
                }
            }
            Err(why) => Said::Unreadable(why),
        },
        ["allow"] => Said::Unreadable("`allow` names a rule".to_owned()),
        [] => Said::Unreadable("it says nothing".to_owned()),
        [other, ..] => Said::Unreadable(format!(
            "`{other}` is no directive; there are `forward-only`, `phase` and `allow`"
        )),
    }
}

/// Words, with `key="several words"` as one.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// The values of `key=value` words, in the order of `keys`.
fn values(words: &[&str], keys: &[&str]) -> Result<Vec<Option<String>>, String> {
    let mut values = vec![None; keys.len()];
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            return Err(format!("`{word}` is no `key=value`; a reason stands in quotes"));
        };
        let Some(at) = keys.iter().position(|known| *known == key) else {
            return Err(format!("`{key}` is not known here; there are `{}`", keys.join("`, `")));
        };
        if value.trim().is_empty() {
            return Err(format!("`{key}` is empty"));
        }
        values[at] = Some(value.to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Said> {
        directives(text, 0..text.len()).into_iter().map(|directive| directive.what).collect()
    }

    #[test]
    fn directives_are_read_in_every_kind_of_comment() {
        for text in [
            "-- backstop: forward-only",
            "--backstop:forward-only",
            "# backstop: forward-only",
            "/* backstop: forward-only */",
            "/*\n * backstop: forward-only\n */",
        ] {
            assert_eq!(read(text), [Said::ForwardOnly], "{text}");
        }
        assert_eq!(read("-- backstop is a tool; see backstop: docs"), []);
        let contract = Said::Contract { of: "a/1.sql".to_owned(), job: Some("j".to_owned()) };
        assert_eq!(read("-- backstop: phase contract of a/1.sql job=j"), [contract]);
        let text = "-- backstop: allow data-loss reason=\"nobody reads it\" until=2026-12-31";
        assert_eq!(
            read(text),
            [Said::Allow {
                rule: "data-loss".to_owned(),
                reason: Some("nobody reads it".to_owned()),
                owner: None,
                until: Some("2026-12-31".to_owned()),
            }]
        );
    }

    #[test]
    fn what_is_nearly_a_directive_is_said_to_be_none() {
        for text in [
            "-- backstop:",
            "-- backstop: forwardonly",
            "-- backstop: phase two",
            "-- backstop: allow",
            "-- backstop: allow r because",
            "-- backstop: allow r reason=\"open",
            "-- backstop: allow r reason=",
            "-- backstop: allow r why=x",
        ] {
            assert!(matches!(read(text).as_slice(), [Said::Unreadable(_)]), "{text}");
        }
    }
}
