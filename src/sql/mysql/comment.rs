//! Comments that some servers run: `/*!80029 … */`.

use crate::sql::cursor::Opening;
use crate::sql::parse::Source;

/// What a text says that begins with `/*!` or `/*M!`.
pub(super) fn opening(source: Source, text: &str) -> Opening {
    let for_mariadb = text.starts_with("/*M!");
    if for_mariadb && !source.mariadb {
        return hides(text);
    }
    let mark = if for_mariadb { 4 } else { 3 };
    // MariaDB 13: `/*!!100000 … */` runs on what is older.
    let reversed = source.mariadb && source.version.0 >= 13 && text[mark..].starts_with('!');
    let begins = mark + usize::from(reversed);
    let digits = text[begins..].bytes().take(6).take_while(u8::is_ascii_digit).count();
    if digits < 5 {
        return Opening::Runs(begins);
    }
    let asked: u32 = text[begins..begins + digits].parse().unwrap_or(u32::MAX);
    // What MySQL has since 5.7 MariaDB has in its own way, if at all: it skips these.
    let skipped = source.mariadb && !for_mariadb && (50_700..=99_999).contains(&asked);
    let (major, minor, patch) = source.version;
    let have = u32::from(major) * 10_000 + u32::from(minor) * 100 + u32::from(patch);
    if !skipped && (asked <= have) != reversed {
        Opening::Runs(begins + digits)
    } else {
        hides(text)
    }
}

/// To its end. Another comment may stand in it, but none in that.
fn hides(text: &str) -> Opening {
    let (mut at, mut inner) = (2, false);
    while let Some(next) = text.get(at..).and_then(|rest| rest.find(['*', '/'])) {
        at += next;
        if text[at..].starts_with("*/") {
            at += 2;
            if !inner {
                return Opening::Hides(at);
            }
            inner = false;
        } else if text[at..].starts_with("/*") {
            inner = true;
            at += 2;
        } else {
            at += 1;
        }
    }
    Opening::Hides(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Tokens;

    #[test]
    fn a_condition_is_held_against_the_server() {
        let of = |mariadb, version| Source { tokens: Tokens::MySql, mariadb, version };
        let (mysql, mariadb) = (of(false, (8, 0, 36)), of(true, (11, 8, 2)));
        let cases = [
            ("/*! a */", true, true),
            ("/*!50003 a */", true, true),
            ("/*!80029 a */", true, false),
            ("/*!080029 a */", true, false),
            ("/*!80037 a */", false, false),
            ("/*!90000 a */", false, false),
            ("/*!50701 a */", true, false),
            ("/*!50699 a */", true, true),
            ("/*!100300 a */", false, true),
            ("/*!110900 a */", false, false),
            ("/*M! a */", false, true),
            ("/*M!100300 a */", false, true),
            ("/*M!999999\\- a */", false, false),
        ];
        for (text, on_mysql, on_mariadb) in cases {
            let runs = |source| matches!(opening(source, text), Opening::Runs(_));
            assert_eq!((runs(mysql), runs(mariadb)), (on_mysql, on_mariadb), "{text}");
        }
        assert_eq!(opening(mysql, "/*!99999 a /* b */ c */ d"), Opening::Hides(23));
        assert_eq!(opening(mysql, "/*!99999 a"), Opening::Hides(10));
    }
}
