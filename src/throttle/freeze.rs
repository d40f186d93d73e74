//! Freeze periods, from a file that many jobs share.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;

use super::window::time_zone;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    freeze: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    from: String,
    until: String,
    zone: String,
    reason: String,
}

/// A period in which no job works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Freeze {
    /// From when on.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// Why, and until when in its own zone, for people.
    pub reason: String,
}

/// Reads the file's text.
///
/// # Errors
///
/// What is wrong, in words: then nobody knows when jobs may work, so none does.
pub(super) fn parse(text: &str) -> Result<Vec<Freeze>, String> {
    let file: File = toml::from_str(text)
        .map_err(|error| format!("it is no list of freezes: {}", error.message().trim()))?;
    file.freeze.iter().map(read).collect()
}

fn read(written: &Written) -> Result<Freeze, String> {
    let zone = time_zone(&written.zone)?;
    let moment = |text: &str| {
        let civil = text.parse::<DateTime>().map_err(|_| {
            format!("`{text}` is not a time; write for example \"2026-11-27T00:00\"")
        })?;
        zone.to_ambiguous_timestamp(civil).compatible().map_err(|error| error.to_string())
    };
    let (from, until) = (moment(&written.from)?, moment(&written.until)?);
    if until <= from {
        return Err(format!("`until` is not after `from` in the freeze of {}", written.from));
    }
    let reason = format!("{}, until {} {}", written.reason, written.until, written.zone);
    Ok(Freeze { from, until, reason })
}

/// Why no job works from that moment until the other: the first freeze that is about to begin or
/// stands.
pub(super) fn standing(freezes: &[Freeze], now: Timestamp, soon: Timestamp) -> Option<&Freeze> {
    freezes.iter().find(|freeze| freeze.from <= soon && now < freeze.until)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[[freeze]]\nfrom = \"2026-11-27T00:00\"\nuntil = \"2026-11-30T12:00\"\n\
                        zone = \"Europe/Berlin\"\nreason = \"Black Friday\"";

    #[test]
    fn a_freeze_holds_from_its_first_to_its_last_moment() {
        let freezes = parse(TEXT).unwrap();
        let holds = |text: &str| {
            let now = text.parse().unwrap();
            standing(&freezes, now, now).map(|freeze| freeze.reason.clone())
        };
        assert_eq!(holds("2026-11-26T22:59:59Z"), None);
        let reason = "Black Friday, until 2026-11-30T12:00 Europe/Berlin";
        assert_eq!(holds("2026-11-26T23:00:00Z").unwrap(), reason);
        assert_eq!(holds("2026-11-30T10:59:59Z").unwrap(), reason);
        assert_eq!(holds("2026-11-30T11:00:00Z"), None);
    }

    #[test]
    fn a_file_that_is_not_understood_is_an_error() {
        assert_eq!(parse("").unwrap(), []);
        for (text, says) in [
            (TEXT.replace("Berlin", "Berln"), "did you mean"),
            (TEXT.replace("27T00:00", "33"), "not a time"),
            (TEXT.replace("reason", "why"), "no list of freezes"),
            (TEXT.replace("11-30", "11-20"), "not after"),
            ("freeze = 3".to_owned(), "no list of freezes"),
        ] {
            let said = parse(&text).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
