//! SQL out of files that are not SQL.
//!
//! What is not SQL becomes blanks, so that every statement stands where it stands in the file, and a
//! finding points at the line that a person knows.

/// The SQL in a file of another language; `None` for one that is SQL itself.
///
/// Known is what migrations of `TypeORM` are: `queryRunner.query("…")` in the method `up`. A string
/// that is put together (`${…}`, `+`) is left as it stands, and is no SQL that anybody can read,
/// which is what should be said of it.
#[must_use]
pub fn extract(path: &str, text: &str) -> Option<String> {
    let script = [".ts", ".js", ".mts", ".cts", ".mjs", ".cjs"];
    if !script.iter().any(|end| path.to_lowercase().ends_with(end)) {
        return None;
    }
    let mut masked: Vec<u8> =
        text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
    let (from, to) = up(text);
    let mut at = from;
    while let Some(found) = text[at..to].find(".query(") {
        let open = at + found + ".query(".len();
        at = open;
        let Some((start, quote)) = first_quote(&text[open..to]) else {
            // No literal at all: say so in the place where it would stand.
            put(&mut masked, open, text[open..to].lines().next().unwrap_or_default());
            continue;
        };
        let start = open + start + 1;
        let Some(length) = closing(&text[start..to], quote) else { break };
        let end = start + length;
        copy(&mut masked, text, start, end);
        // What follows the literal decides whether it is the whole: `+` or a call on it is not.
        let rest = text[end + 1..to].trim_start();
        let whole = rest.starts_with([')', ',']);
        let sign = if whole { b';' } else { b'?' };
        masked[end] = sign;
        if !whole && end + 1 < to {
            masked[end + 1] = b';';
        }
        at = end + 1;
    }
    String::from_utf8(masked).ok()
}

/// The method `up`: what is before and behind it is not run by the migration.
fn up(text: &str) -> (usize, usize) {
    let start = ["async up(", "up = async (", " up("].iter().find_map(|head| text.find(head));
    let start = start.unwrap_or(0);
    let end = ["async down(", "down = async (", " down("]
        .iter()
        .find_map(|head| text[start..].find(head).map(|at| start + at));
    (start, end.unwrap_or(text.len()))
}

/// The quote with which the first argument begins, if it begins with one.
fn first_quote(text: &str) -> Option<(usize, u8)> {
    let at = text.find(|c: char| !c.is_whitespace())?;
    let quote = text.as_bytes()[at];
    matches!(quote, b'\'' | b'"' | b'`').then_some((at, quote))
}

/// Where a literal ends.
fn closing(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Copies a literal's text to its own place. An escape is two bytes and becomes one and a blank: the
/// blank before a quote that opens, and behind one that closes, so that no name gets longer.
fn copy(masked: &mut [u8], text: &str, start: usize, end: usize) {
    let bytes = &text.as_bytes()[start..end];
    let mut inside: Option<u8> = None;
    let mut at = 0;
    while at < bytes.len() {
        let here = start + at;
        match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'n' | b't' | b'r')) => {
                masked[here] = b' ';
                masked[here + 1] = b' ';
                at += 2;
            }
            (b'\\', Some(escaped)) => {
                let closes = inside == Some(*escaped);
                let (first, second) = if closes { (*escaped, b' ') } else { (b' ', *escaped) };
                masked[here] = first;
                masked[here + 1] = second;
                if matches!(escaped, b'"' | b'\'' | b'`') && (closes || inside.is_none()) {
                    inside = if closes { None } else { Some(*escaped) };
                }
                at += 2;
            }
            (byte, _) => {
                masked[here] = byte;
                at += 1;
            }
        }
    }
}

fn put(masked: &mut [u8], at: usize, text: &str) {
    let text = text.trim_end();
    masked[at..at + text.len()].copy_from_slice(text.as_bytes());
    if let Some(last) = masked.get_mut(at + text.len()) {
        *last = if *last == b'\n' { b'\n' } else { b';' };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_keep_their_places() {
        let text = r#"export class A1 implements MigrationInterface {
    name = 'A1'
    public async up(queryRunner: QueryRunner): Promise<void> {
        await queryRunner.query(`ALTER TABLE "post" DROP COLUMN "title"`);
        await queryRunner.query("ALTER TABLE \"post\" ADD \"title\" varchar(200)", [1]);
        await queryRunner.query('UPDATE t SET a = ' + value);
    }
    public async down(queryRunner: QueryRunner): Promise<void> {
        await queryRunner.query(`DROP TABLE never`);
    }
}"#;
        let sql = extract("src/migration/1-A.ts", text).unwrap();
        assert_eq!(sql.len(), text.len());
        let place = text.find("ALTER").unwrap();
        assert_eq!(&sql[place..place + 11], "ALTER TABLE");
        let words: Vec<&str> = sql.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "ALTER TABLE \"post\" DROP COLUMN \"title\"; ALTER TABLE \"post\" ADD \"title\" \
             varchar(200); UPDATE t SET a = ?;"
        );
        assert_eq!(extract("a.sql", "SELECT 1"), None);
    }
}
