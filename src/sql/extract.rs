//! SQL out of files that are not SQL.
//!
//! What is not SQL becomes blanks, so that every statement stands where it stands in the file, and a
//! finding points at the line that a person knows.

/// What stands in the SQL for a migration that asks for no transaction: a comment, as long as the
/// shortest way to write `transaction=false`, so that it fits in its place.
pub const NO_TRANSACTION: &str = "-- no-transaction";

/// Methods of a `QueryRunner` that ask and change nothing.
const ASKING: &[&str] = &[
    "hasDatabase(",
    "hasSchema(",
    "hasTable(",
    "hasColumn(",
    "getTable(",
    "getTables(",
    "getView(",
    "getViews(",
    "getDatabases(",
    "getSchemas(",
    "connect(",
    "release(",
    "isTransactionActive",
    "connection.options",
    "connection.driver",
    "dataSource.options",
    "dataSource.driver",
];

/// The SQL in a file of another language; `None` for one that is SQL itself.
///
/// Known is what migrations of `TypeORM` are: `queryRunner.query("…")` in the method `up`, and where
/// the runner's transaction begins and ends. A string that is put together (`${…}`, `+`) is left as it
/// stands, and is no SQL that anybody can read, which is what should be said of it; so is a call of
/// another method that changes something. A comment `// backstop: …` becomes one of SQL.
#[must_use]
pub fn extract(path: &str, text: &str) -> Option<String> {
    let script = [".ts", ".js", ".mts", ".cts", ".mjs", ".cjs"];
    if !script.iter().any(|end| path.to_lowercase().ends_with(end)) {
        return None;
    }
    let mut masked: Vec<u8> =
        text.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' }).collect();
    let (from, to) = up(text);
    if let Some(at) = asks_for_no_transaction(text) {
        masked[at..at + NO_TRANSACTION.len()].copy_from_slice(NO_TRANSACTION.as_bytes());
    }
    directives(&mut masked, text);
    let mut at = from;
    while let Some(call) = next_call(text, at, to) {
        at = match call {
            Call::Query(open) => match query(&mut masked, text, open, to) {
                Some(end) => end,
                None => break,
            },
            Call::Other(start) => other(&mut masked, text, start, to),
        };
    }
    String::from_utf8(masked).ok()
}

/// A call that does something to the database.
enum Call {
    /// `.query(`; behind its parenthesis.
    Query(usize),
    /// Another method of the runner; at its name.
    Other(usize),
}

fn next_call(text: &str, from: usize, to: usize) -> Option<Call> {
    let places = |what: &'static str, to: usize| {
        let found = text[from..to].match_indices(what).map(move |(at, _)| from + at);
        found.filter(|at| !is_comment(text, *at)).map(move |at| at + what.len())
    };
    let query = places(".query(", to).next();
    let before = query.unwrap_or(to);
    let mut others = places("queryRunner.", before);
    let other = others.find(|start| {
        let rest = &text[*start..to];
        let method = rest.split('(').next().unwrap_or_default();
        let queries = method == "query" || method.ends_with(".query");
        !queries && !ASKING.iter().any(|asks| rest.starts_with(asks))
    });
    other.map(Call::Other).or(query.map(Call::Query))
}

/// Whether a line is a comment, as far as its beginning says so.
fn is_comment(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    ["//", "/*", "*"].iter().any(|sign| text[start..at].trim_start().starts_with(sign))
}

/// Lays out the first argument of a `query`; returns where to go on.
fn query(masked: &mut [u8], text: &str, open: usize, to: usize) -> Option<usize> {
    let Some((start, quote)) = first_quote(&text[open..to]) else {
        // No literal at all: say so in the place where it would stand.
        put(masked, open, text[open..to].lines().next().unwrap_or_default());
        return Some(open);
    };
    let start = open + start + 1;
    let end = start + closing(&text[start..to], quote)?;
    copy(masked, text, start, end);
    // What follows the literal decides whether it is the whole: `+` or a call on it is not.
    let rest = text[end + 1..to].trim_start();
    let whole = rest.starts_with([')', ',']);
    masked[end] = if whole { b';' } else { b'?' };
    if !whole && end + 1 < to {
        masked[end + 1] = b';';
    }
    Some(end + 1)
}

/// Lays out a call of another method; returns where to go on. Whatever is no transaction stays as it
/// stands: nothing passes because it is written in another language.
fn other(masked: &mut [u8], text: &str, start: usize, to: usize) -> usize {
    let line = text[start..to].lines().next().unwrap_or_default();
    let sql = match line.split('(').next().unwrap_or_default() {
        "startTransaction" => "BEGIN",
        "commitTransaction" => "COMMIT",
        "rollbackTransaction" => "ROLLBACK",
        _ => line,
    };
    put(masked, start, sql);
    start + line.len()
}

/// Where `transaction = false` stands, if it does.
fn asks_for_no_transaction(text: &str) -> Option<usize> {
    text.match_indices("transaction").map(|(at, _)| at).find(|at| {
        let rest = text[at + "transaction".len()..].trim_start_matches([' ', '?']);
        let rest = rest.strip_prefix(": boolean").unwrap_or(rest).trim_start();
        let rest = rest.strip_prefix('=').map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with("false"))
    })
}

/// `//` and `--` are two bytes each.
fn directives(masked: &mut [u8], text: &str) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let comment = line.trim_start();
        if comment.starts_with("// backstop:") {
            let at = start + line.len() - comment.len();
            masked[at..start + line.trim_end().len()]
                .copy_from_slice(comment.trim_end().as_bytes());
            masked[at..at + 2].copy_from_slice(b"--");
        }
        start += line.len();
    }
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

/// Puts a text where it stands and ends it as a statement. A line's first byte is never one of a
/// literal, so it is free for what does not fit behind the line before.
fn put(masked: &mut [u8], at: usize, text: &str) {
    let text = text.trim_end();
    masked[at..at + text.len()].copy_from_slice(text.as_bytes());
    let behind = masked[at + text.len()..].iter().position(|byte| *byte != b'\n');
    if let Some(behind) = behind {
        masked[at + text.len() + behind] = b';';
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

    fn words(up: &str) -> String {
        let text =
            format!("// backstop: forward-only\nclass A {{ async up(queryRunner) {{\n{up}\n}} }}");
        let sql = extract("1-A.js", &text).unwrap();
        assert_eq!(sql.len(), text.len());
        let words: Vec<&str> = sql.split_whitespace().collect();
        words.join(" ").replace(" ;", ";")
    }

    #[test]
    fn what_is_no_sql_is_not_passed_over() {
        let cases = [
            ("await queryRunner.addColumn('t', column)", "addColumn('t', column);"),
            ("await queryRunner.manager.save(rows)", "manager.save(rows);"),
            ("await queryRunner.manager.query('A')", "A;"),
            ("// await queryRunner.query('A')\n// await queryRunner.addColumn('t', c)", ""),
            ("if (await queryRunner.hasTable('t')) {\nawait queryRunner.query('A')\n}", "A;"),
            (
                "await queryRunner.commitTransaction()\nawait queryRunner.query('A')\nawait \
                 queryRunner.startTransaction()",
                "COMMIT; A; BEGIN;",
            ),
        ];
        for (up, expected) in cases {
            let expected = format!("-- backstop: forward-only {expected}");
            assert_eq!(words(up), expected.trim_end(), "{up}");
        }
    }

    #[test]
    fn a_migration_may_ask_for_no_transaction() {
        for asks in ["transaction = false", "transaction=false", "transaction?: boolean = false;"] {
            let text = format!("class A {{ {asks}\nasync up(queryRunner) {{ }} }}");
            assert!(extract("1-A.ts", &text).unwrap().contains(NO_TRANSACTION), "{asks}");
        }
        let text = "class A { transaction = true\nasync up(queryRunner) { } }";
        assert!(!extract("1-A.ts", text).unwrap().contains(NO_TRANSACTION));
    }
}
