//! What a signal is measured in, and how that is written.

use crate::spec;

/// The unit of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// A number of things.
    Count,
    /// A share, from 0 to 1.
    Share,
    /// Any number.
    Number,
    /// 1 if it is so, 0 if not.
    Flag,
}

impl Unit {
    /// The value for people: `7.2s`, `12.5MiB`, `0.23`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => seconds(value),
            Self::Bytes => bytes(value),
            Self::BytesPerSecond => format!("{}/s", bytes(value)),
            Self::Count | Self::Flag => format!("{value:.0}"),
            Self::Share | Self::Number => plain(value),
        }
    }

    /// The value for people beside a limit: with more digits where it would look the same.
    #[must_use]
    pub fn show_beside(self, value: f64, limit: f64) -> String {
        let text = self.show(value);
        if text != self.show(limit) {
            return text;
        }
        match self {
            Self::Seconds => format!("{value:.3}s"),
            Self::Bytes => format!("{value:.0}B"),
            Self::BytesPerSecond => format!("{value:.0}B/s"),
            Self::Count | Self::Share | Self::Number | Self::Flag => value.to_string(),
        }
    }

    /// Reads a limit as a spec has it: `5s`, `64MiB`, `3`, `0.2`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    #[expect(clippy::cast_precision_loss, reason = "a limit is no exact value")]
    pub fn read(self, text: &str) -> Result<f64, String> {
        match self {
            Self::Seconds => Ok(text.parse::<spec::Duration>()?.0.as_secs_f64()),
            Self::Bytes | Self::BytesPerSecond => Ok(text.parse::<spec::Size>()?.0 as f64),
            Self::Count | Self::Flag => {
                let number = text.replace('_', "").parse::<u64>();
                number.map(|number| number as f64).map_err(|_| format!("`{text}` is no number"))
            }
            Self::Share => number(text, 0.0..=1.0),
            Self::Number => number(text, f64::MIN..=f64::MAX),
        }
    }
}

fn number(text: &str, limits: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let found = text.replace('_', "").parse::<f64>().ok().filter(|number| limits.contains(number));
    found.ok_or_else(|| match *limits.end() {
        1.0 => format!("`{text}` is not a share from 0 to 1"),
        _ => format!("`{text}` is no number"),
    })
}

/// Two digits after the point at most, and none that say nothing.
fn plain(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Tenths below ten seconds, where they matter to a limit.
fn seconds(value: f64) -> String {
    if value < 10.0 {
        let text = format!("{value:.1}");
        return format!("{}s", text.trim_end_matches('0').trim_end_matches('.'));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and no lag is negative"
    )]
    let whole = value.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) if seconds == 0 => format!("{minutes}m"),
        (0, _) => format!("{minutes}m {seconds}s"),
        (_, 0) => format!("{hours}h"),
        _ => format!("{hours}h {minutes}m"),
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [(&str, f64); 4] = [
        ("TiB", 1_099_511_627_776.0),
        ("GiB", 1_073_741_824.0),
        ("MiB", 1_048_576.0),
        ("KiB", 1024.0),
    ];
    match UNITS.iter().find(|(_, size)| *size <= value) {
        Some((name, size)) => format!("{}{name}", plain(value / size)),
        None => format!("{value:.0}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_people_write_limits() {
        for (unit, value, shown) in [
            (Unit::Seconds, 7.23, "7.2s"),
            (Unit::Seconds, 5.0, "5s"),
            (Unit::Seconds, 0.0, "0s"),
            (Unit::Seconds, 75.0, "1m 15s"),
            (Unit::Seconds, 1800.0, "30m"),
            (Unit::Seconds, 7260.0, "2h 1m"),
            (Unit::Bytes, 512.0, "512B"),
            (Unit::Bytes, 12.5 * 1_048_576.0, "12.5MiB"),
            (Unit::BytesPerSecond, 67_108_864.0, "64MiB/s"),
            (Unit::Count, 3.0, "3"),
            (Unit::Share, 0.234, "0.23"),
            (Unit::Number, -4.5, "-4.5"),
        ] {
            assert_eq!(unit.show(value), shown);
        }
    }

    #[test]
    fn a_value_beyond_a_limit_looks_so() {
        assert_eq!(Unit::Seconds.show_beside(1.04, 1.0), "1.040s");
        assert_eq!(Unit::Seconds.show_beside(1.1, 1.0), "1.1s");
        assert_eq!(Unit::Share.show_beside(0.2004, 0.2), "0.2004");
        assert_eq!(Unit::Bytes.show_beside(67_108_865.0, 67_108_864.0), "67108865B");
    }

    #[test]
    fn limits_are_read_as_the_spec_has_them() {
        assert_eq!(Unit::Seconds.read("1m 15s"), Ok(75.0));
        assert_eq!(Unit::BytesPerSecond.read("1MiB"), Ok(1_048_576.0));
        assert_eq!(Unit::Count.read("1_000"), Ok(1000.0));
        assert!(Unit::Share.read("20").unwrap_err().contains("from 0 to 1"));
        assert!(Unit::Count.read("-3").unwrap_err().contains("no number"));
    }
}
