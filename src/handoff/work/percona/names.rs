//! The names of what pt-online-schema-change makes: read in its source (3.2.1 and 3.7.1).

/// What the names of its triggers begin with, for a table.
///
/// The tool puts `_` for every byte that is no letter, digit or underscore of ASCII, and cuts at 60.
pub(super) fn triggers(database: &str, table: &str) -> String {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let name = format!("pt_osc_{database}_{table}");
    let letters = name.bytes().map(|byte| if word(byte) { char::from(byte) } else { '_' });
    let mut name: String = letters.take(60).collect();
    name.push('_');
    name
}

/// The name of its copy, where nothing of that name was there.
pub(super) fn copy(table: &str) -> String {
    cut(&format!("_{table}_new"))
}

/// Where it notes how far it is (`--history`): one for each table, so that the run of another is not
/// taken up, and in the table's own database, where its user may make tables.
pub(super) fn history(table: &str) -> String {
    cut(&format!("_{table}_osc"))
}

/// The tool cuts bytes, and may cut a letter in two; the server would refuse that name.
fn cut(name: &str) -> String {
    let end = (0..=name.len().min(64)).rev().find(|&end| name.is_char_boundary(end));
    name[..end.unwrap_or_default()].to_owned()
}

/// Whether the tool takes this name for a history table: it splits at points, and puts the name of the
/// database between quotes without a look at what is in it.
pub(super) fn is_plain(name: &str) -> bool {
    !name.chars().any(|letter| ".`'\\%".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_tools() {
        assert_eq!(triggers("shop", "orders"), "pt_osc_shop_orders_");
        assert_eq!(triggers("sh-op", "é"), "pt_osc_sh_op____");
        let long =
            triggers("a_database_of_a_long_name_indeed", "a_table_of_a_long_name_indeed_too");
        assert_eq!(long, "pt_osc_a_database_of_a_long_name_indeed_a_table_of_a_long_na_");
        assert_eq!(copy("orders"), "_orders_new");
        assert_eq!(copy(&"x".repeat(64)).len(), 64);
        assert!(!is_plain("o'clock") && !is_plain("a.b") && is_plain("odd name"));
    }
}
