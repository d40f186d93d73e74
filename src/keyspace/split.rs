//! Where to cut a key space so that several workers can walk it.
//!
//! A cut is only a guess at a value: the server then finds the first existing key at or above it,
//! in its own order. A bad guess makes uneven ranges and never a wrong one.

use super::Key;
use crate::catalog::KeyKind;

/// Up to `pieces - 1` values of the first key column between `min` and `max`, at equal distances.
#[must_use]
pub fn split_points(kind: KeyKind, min: &Key, max: &Key, pieces: u32) -> Vec<String> {
    let (Some(min), Some(max)) = (min.0.first(), max.0.first()) else { return Vec::new() };
    let mut points = match kind {
        KeyKind::Integer => integers(min, max, pieces),
        KeyKind::Text => texts(min, max, pieces),
        KeyKind::Bytes => {
            // Hexadecimal text of even length; an odd digit would not be a byte.
            let mut points = texts(min, max, pieces);
            for point in &mut points {
                if point.len() % 2 == 1 {
                    point.push('0');
                }
            }
            points
        }
    };
    points.dedup();
    points
}

fn integers(min: &str, max: &str, pieces: u32) -> Vec<String> {
    let whole = |text: &str| text.split('.').next().and_then(|digits| digits.parse::<i128>().ok());
    let (Some(min), Some(max)) = (whole(min), whole(max)) else { return Vec::new() };
    let Some(width) = max.checked_sub(min) else { return Vec::new() };
    (1..i128::from(pieces))
        .filter_map(|i| width.checked_mul(i))
        .map(|part| (min + part / i128::from(pieces)).to_string())
        .collect()
}

/// The alphabet that guesses are spelt in. Hexadecimal digits come first because most text keys
/// that are worth splitting are UUIDs and hashes.
const HEX: &[u8] = b"0123456789abcdef";
const ALNUM: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn texts(min: &str, max: &str, pieces: u32) -> Vec<String> {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let alphabet = if is_hex(min) && is_hex(max) { HEX } else { ALNUM };
    let common = min.bytes().zip(max.bytes()).take_while(|(a, b)| a == b).count();
    let Some(prefix) = min.get(..common) else { return Vec::new() };
    let (low, high) = (fraction(&min[common..], alphabet), fraction(&max[common..], alphabet));
    (1..pieces)
        .map(|i| {
            let at = low + (high - low) * f64::from(i) / f64::from(pieces);
            format!("{prefix}{}", spell(at, alphabet))
        })
        .collect()
}

/// Digits of a guess: 36^3 leaves far finer steps than any number of workers needs.
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

    fn points(kind: KeyKind, min: &str, max: &str, pieces: u32) -> Vec<String> {
        split_points(kind, &Key(vec![min.into()]), &Key(vec![max.into()]), pieces)
    }

    #[test]
    fn integers_are_cut_evenly_over_their_whole_width() {
        assert_eq!(points(KeyKind::Integer, "0", "400", 4), ["100", "200", "300"]);
        assert_eq!(
            points(KeyKind::Integer, "-9223372036854775808", "18446744073709551615", 2).len(),
            1
        );
        assert_eq!(points(KeyKind::Integer, "5", "5", 4), ["5"]);
    }

    #[test]
    fn uuids_are_cut_by_their_leading_digits() {
        let cut = points(
            KeyKind::Text,
            "00012ff0-0000-4000-8000-000000000000",
            "fff12ff0-0000-4000-8000-000000000000",
            4,
        );
        assert_eq!(cut.len(), 3);
        assert!(cut[1].starts_with('7') || cut[1].starts_with('8'), "{cut:?}");
    }

    #[test]
    fn bytes_stay_whole_bytes() {
        for point in points(KeyKind::Bytes, "00ff", "ff00", 4) {
            assert_eq!(point.len() % 2, 0, "{point}");
        }
    }
}
