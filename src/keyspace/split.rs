//! Where to cut a key space so that several workers can walk it.
//!
//! A cut is only a guess at a value: the server then finds the first existing key at or above it,
//! in its own order. A bad guess makes uneven ranges and never a wrong one.

use jiff::civil::Date;

use crate::catalog::KeyKind;

/// A value about half-way between two values of a key column, of which either may be the greater;
/// `None` where nothing is known to lie between them. It need not be a value of the column's type: then the server refuses it.
#[must_use]
pub fn between(kind: KeyKind, low: &str, high: &str) -> Option<String> {
    let guess = match kind {
        KeyKind::Integer => integer(low, high),
        KeyKind::Text => day(low, high).or_else(|| text(low, high)),
        // Hexadecimal text of even length; an odd digit would not be a byte.
        KeyKind::Bytes => text(low, high).map(|mut guess| {
            if guess.len() % 2 == 1 {
                guess.push('0');
            }
            guess
        }),
    };
    guess.filter(|guess| guess != low && guess != high)
}

fn integer(low: &str, high: &str) -> Option<String> {
    let whole = |text: &str| text.split('.').next().and_then(|digits| digits.parse::<i128>().ok());
    let (low, high) = (whole(low)?, whole(high)?);
    let half = high.checked_sub(low)? / 2;
    (half != 0).then(|| (low + half).to_string())
}

/// Dates, and moments that begin with one: the day half-way, at the time of the lower one.
fn day(low: &str, high: &str) -> Option<String> {
    let date = |text: &str| text.get(..LENGTH_OF_DATE)?.parse::<Date>().ok();
    let (from, to) = (date(low)?, date(high)?);
    let half = from.until(to).ok()?.get_days() / 2;
    let guess = from.checked_add(jiff::Span::new().try_days(half).ok()?).ok()?;
    (half != 0).then(|| format!("{guess}{}", &low[LENGTH_OF_DATE..]))
}

const LENGTH_OF_DATE: usize = "2024-02-29".len();

/// Where `value` lies between two values of a key column, from 0 to 1, if all values between them
/// are equally frequent; `None` where that cannot be told from their texts.
#[must_use]
pub fn place(kind: KeyKind, low: &str, high: &str, value: &str) -> Option<f64> {
    let measure = |measure: &dyn Fn(&str) -> Option<f64>| {
        let (low, high, value) = (measure(low)?, measure(high)?, measure(value)?);
        let width = high - low;
        (0.0 < width.abs()).then(|| ((value - low) / width).clamp(0.0, 1.0))
    };
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let whole = |text: &str| Some(text.split('.').next()?.parse::<i128>().ok()? as f64);
    if kind == KeyKind::Integer {
        return measure(&whole);
    }
    let days = |text: &str| {
        let date: Date = text.get(..LENGTH_OF_DATE)?.parse().ok()?;
        Some(f64::from(Date::ZERO.until(date).ok()?.get_days()))
    };
    let (alphabet, common) = spelling(low, high);
    let digits = |text: &str| Some(fraction(text.get(common..)?, alphabet));
    measure(&days).or_else(|| measure(&digits))
}

/// The alphabet that guesses are spelt in. Hexadecimal digits come first because most text keys
/// that are worth splitting are UUIDs and hashes.
const HEX: &[u8] = b"0123456789abcdef";
const ALNUM: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn text(low: &str, high: &str) -> Option<String> {
    let (alphabet, common) = spelling(low, high);
    let prefix = low.get(..common)?;
    let (from, to) = (fraction(&low[common..], alphabet), fraction(&high[common..], alphabet));
    let mut guess = format!("{prefix}{}", spell(f64::midpoint(from, to), alphabet));
    if alphabet == HEX && low.len() == high.len() {
        guess = shaped_like(low, &guess);
    }
    Some(guess)
}

/// The alphabet of two texts, and how many bytes they begin with in common.
fn spelling(low: &str, high: &str) -> (&'static [u8], usize) {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let alphabet = if is_hex(low) && is_hex(high) { HEX } else { ALNUM };
    (alphabet, low.bytes().zip(high.bytes()).take_while(|(a, b)| a == b).count())
}

/// A UUID needs all its digits, and its dashes where they belong.
fn shaped_like(model: &str, digits: &str) -> String {
    let mut digits = digits.chars().filter(|c| *c != '-');
    model.chars().map(|c| if c == '-' { c } else { digits.next().unwrap_or('0') }).collect()
}

/// Digits of a guess: 36^3 leaves far finer steps than one halving needs.
const DIGITS: usize = 3;

/// A text as a number in `0..1`, each character one digit. A guess may be rough: it is a float.
#[expect(clippy::cast_precision_loss, reason = "a digit is below 37")]
fn fraction(text: &str, alphabet: &[u8]) -> f64 {
    let base = alphabet.len() as f64;
    let mut scale = 1.0;
    text.bytes()
        .filter(|byte| *byte != b'-')
        .take(DIGITS)
        .map(|byte| {
            scale /= base;
            let byte = byte.to_ascii_lowercase();
            let digit = alphabet.iter().position(|c| byte <= *c).unwrap_or(alphabet.len());
            digit as f64 * scale
        })
        .sum()
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a digit is in 0..37"
)]
fn spell(mut at: f64, alphabet: &[u8]) -> String {
    let base = alphabet.len() as f64;
    (0..DIGITS)
        .map(|_| {
            at *= base;
            let digit = (at as usize).min(alphabet.len() - 1);
            at -= digit as f64;
            char::from(alphabet[digit])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(kind: KeyKind, low: &str, high: &str) -> String {
        between(kind, low, high).unwrap()
    }

    #[test]
    fn integers_are_halved_over_their_whole_width() {
        assert_eq!(half(KeyKind::Integer, "0", "400"), "200");
        assert_eq!(half(KeyKind::Integer, "-10.5", "10.5"), "0");
        assert_eq!(half(KeyKind::Integer, "400", "0"), "200");
        let widest = half(KeyKind::Integer, "-9223372036854775808", "18446744073709551615");
        assert_eq!(widest, "4611686018427387903");
        for (low, high) in [("5", "5"), ("5", "6"), ("5.1", "5.9")] {
            assert_eq!(between(KeyKind::Integer, low, high), None, "{low} {high}");
        }
    }

    #[test]
    fn a_uuid_stays_one() {
        let (low, high) =
            ("00012ff0-0000-4000-8000-000000000001", "fff12ff0-0000-4000-8000-000000000001");
        assert_eq!(half(KeyKind::Text, low, high), "7ff00000-0000-0000-0000-000000000000");
        let near = half(KeyKind::Text, low, "00012ff0-0000-4fff-8000-000000000001");
        assert!(near.starts_with("00012ff0-0000-47f"), "{near}");
        assert_eq!(near.len(), low.len());
    }

    #[test]
    fn moments_are_halved_by_days() {
        assert_eq!(half(KeyKind::Text, "2024-01-01", "2024-03-01"), "2024-01-31");
        assert_eq!(half(KeyKind::Text, "2024-03-01", "2024-01-01"), "2024-01-31");
        let moment = half(KeyKind::Text, "2024-01-01T08:00:00+00:00", "2024-01-05T00:00:00+00:00");
        assert_eq!(moment, "2024-01-03T08:00:00+00:00");
    }

    #[test]
    fn texts_are_halved_after_what_they_have_in_common() {
        let guess = half(KeyKind::Text, "order-a", "order-z");
        assert!(guess.starts_with("order-") && "order-a" < guess.as_str(), "{guess}");
        assert!(guess.as_str() < "order-z", "{guess}");
        // Cutting within a character would be no text at all.
        assert_eq!(between(KeyKind::Text, "é", "è"), None);
    }

    #[test]
    fn a_place_is_a_share_of_the_way() {
        let near = |kind, low, high, value, expected: f64| {
            let found = place(kind, low, high, value).unwrap();
            assert!((found - expected).abs() < 0.01, "{value} is at {found}");
        };
        near(KeyKind::Integer, "100", "300", "150", 0.25);
        near(KeyKind::Integer, "-9223372036854775808", "9223372036854775807", "0", 0.5);
        near(KeyKind::Integer, "1", "10", "99", 1.0);
        near(KeyKind::Text, "00-00", "ff-ff", "40-12", 0.25);
        near(KeyKind::Text, "2024-01-01", "2024-12-31", "2024-04-01", 0.25);
        assert_eq!(place(KeyKind::Integer, "5", "5", "5"), None);
    }

    #[test]
    fn bytes_stay_whole_bytes() {
        assert_eq!(half(KeyKind::Bytes, "00ff", "ff00").len() % 2, 0);
    }
}
