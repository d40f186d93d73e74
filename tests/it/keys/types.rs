//! The types of key columns of each engine, with values as SQL literals: the extremes of the type,
//! and what chance makes.

use crate::database::Engine;
use crate::endurance::Dice;

/// A type that a key column can have.
pub struct KeyType {
    /// As a column is declared.
    pub ddl: &'static str,
    /// Literals of its extremes and of what is odd about it, all different keys.
    pub odd: Vec<String>,
    /// A literal that chance makes.
    pub any: fn(&mut Dice) -> String,
    /// How a table can be partitioned by it, beside by hash.
    pub cut: Option<&'static str>,
    /// Whether a table can be partitioned by a hash of it.
    pub hashed: bool,
}

/// What the database must have before columns of these types can be declared.
pub const POSTGRES_TYPES: &str = "\
CREATE TYPE mood AS ENUM ('zebra', 'Apple', 'apple', '', 'it''s', 'back\\slash', 'Mango');
CREATE DOMAIN code AS text COLLATE \"C\" CHECK (VALUE <> 'forbidden')";

/// What it must have besides for [`icu`], where it has ICU.
pub const POSTGRES_ICU: &str =
    "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";

fn of(ddl: &'static str, odd: &[&str], any: fn(&mut Dice) -> String) -> KeyType {
    let odd = odd.iter().map(|literal| (*literal).to_owned()).collect();
    KeyType { ddl, odd, any, cut: None, hashed: true }
}

fn cut(ddl: &'static str, odd: &[&str], any: fn(&mut Dice) -> String, at: &'static str) -> KeyType {
    KeyType { cut: Some(at), ..of(ddl, odd, any) }
}

fn unhashed(ddl: &'static str, odd: &[&str], any: fn(&mut Dice) -> String) -> KeyType {
    KeyType { hashed: false, ..of(ddl, odd, any) }
}

fn small(dice: &mut Dice) -> String {
    dice.below(100).to_string()
}

fn signed(dice: &mut Dice) -> String {
    // Sparse, and clustered around zero.
    let width = *dice.pick(&[100, 10_000, 2_000_000_000]);
    (i128::from(dice.below(width)) - i128::from(width / 2)).to_string()
}

fn unsigned(dice: &mut Dice) -> String {
    let width = *dice.pick(&[100, 2_000_000_000]);
    dice.below(width).to_string()
}

fn decimal(dice: &mut Dice) -> String {
    format!("{}.{:03}", signed(dice), dice.below(1000))
}

fn hex(dice: &mut Dice, digits: u64) -> String {
    (0..digits).map(|_| format!("{:x}", dice.below(16))).collect()
}

fn uuid(dice: &mut Dice) -> String {
    let parts = [8, 4, 4, 4, 12].map(|digits| hex(dice, digits));
    format!("'{}'", parts.join("-"))
}

fn bytes_literal(dice: &mut Dice) -> String {
    let bytes = dice.below(12);
    format!("x'{}'", hex(dice, 2 * bytes))
}

fn sixteen_bytes(dice: &mut Dice) -> String {
    format!("x'{}'", hex(dice, 32))
}

fn bytea(dice: &mut Dice) -> String {
    let bytes = dice.below(12);
    format!("decode('{}', 'hex')", hex(dice, 2 * bytes))
}

fn date(dice: &mut Dice) -> String {
    let year = 1990 + dice.below(50);
    format!("'{year:04}-{:02}-{:02}'", 1 + dice.below(12), 1 + dice.below(28))
}

fn clock(dice: &mut Dice) -> String {
    let micros = *dice.pick(&[1_000_000, 4]);
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        dice.below(24),
        dice.below(60),
        dice.below(60),
        dice.below(micros)
    )
}

fn time(dice: &mut Dice) -> String {
    format!("'{}'", clock(dice))
}

fn moment(dice: &mut Dice) -> String {
    let date = date(dice);
    format!("{} {}'", date.trim_end_matches('\''), clock(dice))
}

/// In the hours around the end of summer time, too.
fn moment_in_zone(dice: &mut Dice) -> String {
    let zone = dice.pick(&["+00", "-03:30", "+14", "America/New_York", "-00:44:30"]);
    if dice.below(3) == 0 {
        return format!("'2025-11-02 0{}:{:02} {zone}'", dice.below(9), dice.below(60));
    }
    let moment = moment(dice);
    format!("{} {zone}'", moment.trim_end_matches('\''))
}

fn year(dice: &mut Dice) -> String {
    (1901 + dice.below(255)).to_string()
}

fn flag(dice: &mut Dice) -> String {
    (*dice.pick(&["true", "false"])).to_owned()
}

/// No letter beyond ASCII: these are for the columns of `latin1`, too.
const WORDS: &[&str] =
    &["a", "A", "b", "B", "ab", "aB", "z", "Zoe", "x-", "_", "%", "0", "10", "9"];

fn ascii(dice: &mut Dice) -> String {
    let word = dice.pick(WORDS);
    match dice.below(3) {
        0 => format!("'{word}'"),
        1 => format!("'{word}{}'", dice.below(300)),
        _ => format!("'a long prefix that many share {word}{}'", dice.below(300)),
    }
}

fn word(dice: &mut Dice) -> String {
    const LETTERS: &[&str] = &[
        "a", "A", "b", "ä", "Ä", "ß", "ss", "é", "e\u{301}", "日本", "😀", "ﬁ", "İ", "ı", "''", " ",
    ];
    if dice.below(3) == 0 {
        return ascii(dice);
    }
    let letters = 1 + dice.below(4);
    let letters: String = (0..letters).map(|_| *dice.pick(LETTERS)).collect();
    format!("'{letters}'")
}

fn address(dice: &mut Dice) -> String {
    match dice.below(3) {
        0 => format!("'10.{}.{}.{}'", dice.below(3), dice.below(256), dice.below(256)),
        1 => format!("'192.168.{}.77/{}'", dice.below(256), 8 + dice.below(25)),
        _ => format!("'2001:db8::{}'", hex(dice, 4)),
    }
}

fn network(dice: &mut Dice) -> String {
    format!("'10.{}.{}.0/24'", dice.below(256), dice.below(256))
}

fn mac(dice: &mut Dice) -> String {
    let bytes: Vec<_> = (0..6).map(|_| hex(dice, 2)).collect();
    format!("'{}'", bytes.join(":"))
}

fn ipv4(dice: &mut Dice) -> String {
    format!("'10.{}.{}.{}'", dice.below(3), dice.below(256), dice.below(256))
}

fn ipv6(dice: &mut Dice) -> String {
    format!("'2001:db8::{}'", hex(dice, 4))
}

fn mood(dice: &mut Dice) -> String {
    (*dice.pick(&["'zebra'", "'Apple'", "'apple'", "''", "'it''s'", "'Mango'"])).to_owned()
}

fn member(dice: &mut Dice) -> String {
    (*dice.pick(&["'zebra'", "'Apple'", "'Mango'", "'it''s'"])).to_owned()
}

/// Texts that are odd, and some that are one key under many collations.
const TEXTS: &[&str] =
    &["''", "' '", "'  x'", "'a'", "'A'", "'a '", "'b'", "''''", "'\"'", "'%'", "'ÿ'", "'Ÿ'"];

/// Beyond `latin1`.
const FAR: &[&str] = &["'日本'", "'😀'", "'e\u{301}'", "'é'"];

/// The odd texts, and more.
fn texts(more: &[&'static str]) -> Vec<&'static str> {
    [TEXTS, more].concat()
}

/// The types of one engine that can be had there.
pub fn types(engine: Engine, has: impl Fn(&str) -> bool) -> Vec<KeyType> {
    match engine.name {
        "sqlite" => sqlite(),
        "mariadb" => [mysql(), mariadb()].into_iter().flatten().collect(),
        "mysql" => [mysql(), mysql_only()].into_iter().flatten().collect(),
        _ => {
            let mut types = postgres();
            if has("SELECT count(*) FROM pg_extension WHERE extname = 'citext'") {
                types.push(of("citext", &texts(FAR), word));
            }
            if has("SELECT count(*) FROM pg_collation WHERE collname = 'loose'") {
                types.extend(icu());
            }
            if has("SELECT count(*) FROM pg_collation WHERE collname = 'pg_c_utf8'") {
                types.push(of("text COLLATE pg_c_utf8", &texts(FAR), word));
            }
            types
        }
    }
}

fn postgres() -> Vec<KeyType> {
    let text = [&texts(FAR)[..], &[r"'\'", r"'\\x'", "E'\\t'", "E'\\n'"]].concat();
    vec![
        cut("smallint", &["-32768", "32767", "0"], small, "40"),
        cut("integer", &["-2147483648", "2147483647"], signed, "0"),
        cut("bigint", &["-9223372036854775808", "9223372036854775807"], signed, "0"),
        of("oid", &["0", "4294967295"], unsigned),
        of(
            "numeric",
            &[
                "'NaN'",
                "'Infinity'",
                "'-Infinity'",
                "123456789012345678901234567890.1234567890123456789",
                "-0.0000000000000000001",
                "0.1",
                "1.00",
            ],
            decimal,
        ),
        cut("numeric(20,4)", &["9999999999999999.9999", "-0.0001"], decimal, "0"),
        cut("text COLLATE \"C\"", &text, word, "'b'"),
        of("text", &text, word),
        of("varchar(60)", &text, word),
        of("character(40)", &text, word),
        of("name", &text, word),
        of("code", &text, word),
        of("char(36)", &[], uuid),
        of(
            "uuid",
            &["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
            uuid,
        ),
        of("bytea", &["''", "'\\x00'", "'\\x0000'", "'\\xff'", "'\\x5c'"], bytea),
        cut(
            "date",
            &["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'", "'0044-03-15 BC'"],
            date,
            "'2010-01-01'",
        ),
        cut(
            "timestamp",
            &[
                "'infinity'",
                "'-infinity'",
                "'4713-01-01 00:00:00.000001 BC'",
                "'294276-12-31 23:59:59.999999'",
                "'0001-01-01 00:00:00'",
            ],
            moment,
            "'2010-01-01'",
        ),
        of("timestamp(3)", &["'1999-12-31 23:59:59.999'"], moment),
        of(
            "timestamptz",
            &[
                "'infinity'",
                "'-infinity'",
                "'4713-01-02 00:00:00+00 BC'",
                "'294276-12-31 23:59:59.999999+00'",
                "'1883-11-18 12:00:00.000001+00'",
                "'1883-11-18 17:03:58+00'",
            ],
            moment_in_zone,
        ),
        of("time", &["'00:00'", "'24:00'", "'23:59:59.999999'"], time),
        of("mood", &["'back\\slash'"], mood),
        of("boolean", &[], flag),
        of("inet", &["'0.0.0.0/0'", "'::'", "'::1/64'", "'255.255.255.255'"], address),
        of("cidr", &["'0.0.0.0/0'", "'::/0'"], network),
        of("macaddr", &["'00:00:00:00:00:00'", "'ff:ff:ff:ff:ff:ff'"], mac),
    ]
}

fn icu() -> [KeyType; 3] {
    [
        of("text COLLATE \"en-x-icu\"", &texts(FAR), word),
        of("varchar(60) COLLATE \"und-x-icu\"", &texts(FAR), word),
        unhashed("text COLLATE loose", &texts(FAR), word),
    ]
}

/// What MySQL and MariaDB share. The backslash is left to the bytes: what it means in a literal
/// depends on `sql_mode`.
fn mysql() -> Vec<KeyType> {
    let western = texts(&["_latin1 x'80'", "_latin1 x'81'", "_latin1 x'5C'"]);
    let text = [&texts(FAR)[..], &["_utf8mb4 x'5C'"]].concat();
    vec![
        cut("tinyint", &["-128", "127"], small, "40"),
        cut("smallint unsigned", &["0", "65535"], small, "40"),
        of("mediumint", &["-8388608", "8388607"], small),
        cut("int", &["-2147483648", "2147483647"], signed, "0"),
        cut("int unsigned", &["0", "4294967295"], unsigned, "1000"),
        cut("bigint", &["-9223372036854775808", "9223372036854775807"], signed, "0"),
        cut(
            "bigint unsigned",
            &["0", "9223372036854775807", "9223372036854775808", "18446744073709551615"],
            unsigned,
            "1000",
        ),
        of("decimal(30,10)", &["99999999999999999999.9999999999", "-0.0000000001"], decimal),
        of("decimal(65,0)", &["-99999999999999999999999999999999999999999999999999"], signed),
        of("varchar(60) COLLATE utf8mb4_general_ci", &text, word),
        of("varchar(60) COLLATE utf8mb4_unicode_ci", &text, word),
        of("varchar(60) COLLATE utf8mb4_unicode_520_ci", &text, word),
        of("varchar(60) COLLATE utf8mb4_bin", &text, word),
        of("char(40) COLLATE utf8mb4_bin", &text, word),
        of("varchar(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci", &western, ascii),
        of("varchar(60) CHARACTER SET latin1 COLLATE latin1_bin", &western, ascii),
        of("varchar(60) CHARACTER SET ucs2", &texts(&[]), ascii),
        of("char(36) CHARACTER SET ascii", &[], uuid),
        of("binary(16)", &["x'00000000000000000000000000000000'"], sixteen_bytes),
        of("varbinary(40)", &["x''", "x'00'", "x'0000'", "x'5c'", "x'ff'", "x'20'"], bytes_literal),
        of("date", &["'1000-01-01'", "'9999-12-31'"], date),
        of("datetime(6)", &["'1000-01-01'", "'9999-12-31 23:59:59.999999'"], moment),
        of("datetime", &[], |dice| {
            format!("'2025-01-{:02} 0{}:00'", 1 + dice.below(28), dice.below(9))
        }),
        of(
            "timestamp(6) DEFAULT '2000-01-01'",
            &["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07.999999'"],
            |dice| moment(dice).replace("203", "200"),
        ),
        of("time(6)", &["'-838:59:59'", "'838:59:59'", "'-00:00:00.000001'", "'00:00'"], time),
        of("year", &["0", "1901", "2155"], year),
        of("enum('zebra','Apple','Mango','it''s')", &[], member),
        of("boolean", &[], flag),
        of("varchar(60)", &text, ascii),
    ]
}

fn mysql_only() -> Vec<KeyType> {
    let text = texts(FAR);
    vec![
        of("varchar(60) COLLATE utf8mb4_0900_ai_ci", &text, word),
        of("varchar(60) COLLATE utf8mb4_0900_as_cs", &text, word),
        of("varchar(60) COLLATE utf8mb4_0900_bin", &text, word),
        of("varchar(60) COLLATE utf8mb4_ja_0900_as_cs", &text, word),
    ]
}

fn mariadb() -> Vec<KeyType> {
    let text = texts(FAR);
    vec![
        of("uuid", &["'00000000-0000-0000-0000-000000000000'"], uuid),
        of("inet6", &["'::'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'"], ipv6),
        of("inet4", &["'0.0.0.0'", "'255.255.255.255'"], ipv4),
        of("varchar(60) COLLATE utf8mb4_nopad_bin", &text, word),
        of("varchar(60) COLLATE utf8mb4_uca1400_ai_ci", &text, word),
    ]
}

fn sqlite() -> Vec<KeyType> {
    let text = texts(FAR);
    let text = [&text[..], &[r"'\'", "'x' || char(10)", "'1'", "'01'", "'1.0'"]].concat();
    vec![
        of("INTEGER", &["-9223372036854775807 - 1", "9223372036854775807", "0"], signed),
        of("BIGINT", &["-9223372036854775807 - 1", "9223372036854775807"], signed),
        of("TEXT", &text, word),
        of("TEXT COLLATE NOCASE", &text, word),
        of("TEXT COLLATE RTRIM", &text, word),
        of("VARCHAR(60)", &text, word),
        of("CHAR(36)", &[], uuid),
        of("BLOB", &["x''", "x'00'", "x'0000'", "x'ff'"], bytes_literal),
        of(
            "DECIMAL(20, 3)",
            &["0.1", "1e300", "9223372036854775808", "1.0 / 3", "-0.001"],
            decimal,
        ),
        of("DATE", &["'infinity'"], date),
        of("DATETIME", &["0", "1.5"], moment),
        of("BOOLEAN", &[], |dice| dice.below(2).to_string()),
        of("UUID", &[], uuid),
        of("STRING COLLATE NOCASE", &["'1'", "'1.50'", "'1e3'", "'1x'"], word),
    ]
}
