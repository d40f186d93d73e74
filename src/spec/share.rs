//! A share of rows, as people write it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share such as `10%` or `2.5%`, in hundredths of a percent: up to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

/// All of them.
const WHOLE: u32 = 100 * 100;

impl Share {
    /// Whether `part` is more than this share of `whole`.
    #[must_use]
    pub fn is_exceeded(self, part: u64, whole: u64) -> bool {
        u128::from(self.0) * u128::from(whole) < u128::from(part) * u128::from(WHOLE)
    }
}

impl std::str::FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a share; write for example \"10%\" or \"2.5%\"");
        let number = text.trim().strip_suffix('%').map(str::trim_end).ok_or_else(wrong)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || 2 < fraction.len() {
            return Err(wrong());
        }
        let hundredths: u32 = format!("{fraction:0<2}").parse().map_err(|_| wrong())?;
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let share = whole.checked_mul(100).and_then(|whole| whole.checked_add(hundredths));
        share
            .filter(|share| *share <= WHOLE)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is more than \"100%\""))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 100)?;
        match self.0 % 100 {
            0 => {}
            part if part.is_multiple_of(10) => write!(f, ".{}", part / 10)?,
            part => write!(f, ".{part:02}")?,
        }
        f.write_str("%")
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A share: `10%`, `2.5%`.",
            "examples": ["10%", "2.5%"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_what_was_read() {
        for (text, hundredths, shown) in [
            ("10%", 1_000, "10%"),
            ("2.5 %", 250, "2.5%"),
            ("0.05%", 5, "0.05%"),
            ("0%", 0, "0%"),
            ("100%", 10_000, "100%"),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!((share.0, share.to_string().as_str()), (hundredths, shown), "{text}");
            assert_eq!(shown.parse(), Ok(share));
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["10", "", "%", "-1%", "1.234%", ".5%", "5.%", "1e1%", "+5%"] {
            assert!(text.parse::<Share>().unwrap_err().contains("\"10%\""), "{text}");
        }
        assert!("100.01%".parse::<Share>().unwrap_err().contains("more than"));
    }

    #[test]
    fn a_share_is_exceeded_by_more_than_it() {
        let tenth = Share(1_000);
        assert!(!tenth.is_exceeded(10, 100));
        assert!(tenth.is_exceeded(11, 100));
        assert!(!Share(10_000).is_exceeded(20, 20));
        assert!(Share(0).is_exceeded(1, u64::MAX));
    }
}
