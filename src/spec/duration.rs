//! A duration, as people write it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A duration such as `250ms`, `2s`, `1m 30s` or `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration(pub std::time::Duration);

impl std::str::FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let signed = text.parse::<jiff::SignedDuration>().ok().or_else(|| {
            // A day is 24 hours here: what is measured is time that passes.
            let span: jiff::Span = text.parse().ok()?;
            span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()
        });
        signed.and_then(|signed| std::time::Duration::try_from(signed).ok()).map(Self).ok_or_else(
            || {
                format!(
                    "`{text}` is not a duration; write for example \"250ms\", \"2s\" or \"1m 30s\""
                )
            },
        )
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The seconds of a day.
const DAY: u64 = 24 * 3600;

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        // `24h` stays, as it always was written.
        if DAY < seconds && seconds.is_multiple_of(DAY) && self.0.subsec_nanos() == 0 {
            return write!(f, "{}d", seconds / DAY);
        }
        match jiff::SignedDuration::try_from(self.0) {
            Ok(signed) => write!(f, "{signed:#}"),
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A duration: `250ms`, `2s`, `1m 30s`, `30d`.",
            "examples": ["250ms", "2s", "1m 30s"],
        })
    }
}
