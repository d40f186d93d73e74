//! The settings that the driver puts in the place of the server's own, and how to get those back.
//!
//! sqlx asks for `TimeZone=UTC` and `DateStyle=ISO, MDY` in its startup message. They become the
//! session's defaults, so `RESET` leads to them; what an expression such as `created_at::date`
//! would mean to anybody else must be found in the catalog and the server's files, and set again.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::dialect::literal;
use super::error::from_driver;
use crate::catalog::Setting;
use crate::target::Result;

/// The two settings that the driver overrides.
const OVERRIDDEN: [&str; 2] = ["TimeZone", "DateStyle"];

/// Limits in milliseconds. The first ends a statement that waits for a lock, and behind which the
/// application would queue; batches have a shorter one ([`super::patience`]). The second frees the
/// rows of a runner that was frozen within a transaction: between two statements of one lies a round
/// trip, and 10 s are many of them. A server that is stricter stays so.
const LIMITS: [(&str, u32); 2] =
    [("lock_timeout", 10_000), ("idle_in_transaction_session_timeout", 10_000)];

/// Found by role and database; the narrower entry comes first.
const IN_CATALOG: &str = "\
SELECT lower(split_part(entry, '=', 1)), substr(entry, strpos(entry, '=') + 1),
       CASE WHEN s.setrole <> 0 THEN 'role' WHEN s.setdatabase <> 0 THEN 'database'
            ELSE 'server' END
FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS entry
WHERE s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
  AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC";

/// The right to read the files is the server's to give; asking without it would be an error.
const MAY_READ_FILES: &str = "\
SELECT (has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')
        AND has_table_privilege('pg_catalog.pg_file_settings', 'SELECT'))::text";

/// What the files say, the entry that counts first; after them the server's built-in value.
const IN_FILES: &str = "\
SELECT lower(name), setting, 'server' FROM (
    SELECT name, setting, seqno FROM pg_file_settings WHERE applied
    UNION ALL SELECT name, boot_val, 0 FROM pg_settings) AS found
WHERE lower(name) IN ('timezone', 'datestyle') ORDER BY seqno DESC";

/// Finds the values that the server itself would give to a session of this role. `options` are
/// those of the URL, `time_zone` is what the spec pins.
///
/// # Errors
///
/// What the server says; that it does not let us see its files is no error.
pub(super) async fn find(
    connection: &mut PgConnection,
    options: Option<&str>,
    time_zone: Option<&str>,
) -> Result<Vec<Setting>> {
    let mut found = rows(connection, IN_CATALOG).await?;
    let may_read = rows(connection, MAY_READ_FILES).await?;
    if may_read.first().is_some_and(|row| row[0] == "true") {
        found.extend(rows(connection, IN_FILES).await?);
    }
    let settings = OVERRIDDEN.map(|name| {
        let lower = name.to_lowercase();
        let pinned = time_zone.filter(|_| name == "TimeZone").map(|zone| (zone.to_owned(), "spec"));
        let in_url = || option(options?, &lower).map(|value| (value, "url"));
        let on_server = || {
            let [_, value, source] = found.iter().find(|row| row[0] == lower)?;
            let source = match source.as_str() {
                "role" => "role",
                "database" => "database",
                _ => "server",
            };
            Some((value.clone(), source))
        };
        let assumed = if name == "TimeZone" { "UTC" } else { "ISO, MDY" };
        let (value, source) = pinned
            .or_else(in_url)
            .or_else(on_server)
            .unwrap_or_else(|| (assumed.to_owned(), "assumed"));
        Setting { name: name.to_owned(), value, source: source.to_owned() }
    });
    Ok(settings.into())
}

/// Rows of up to three texts; what a statement does not return stays empty.
async fn rows(connection: &mut PgConnection, sql: &'static str) -> Result<Vec<[String; 3]>> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await
        .map_err(|error| from_driver(error, sql))?;
    Ok(rows
        .iter()
        .map(|row| {
            [0, 1, 2].map(|column| {
                row.try_get_unchecked::<Option<String>, _>(column)
                    .ok()
                    .flatten()
                    .unwrap_or_default()
            })
        })
        .collect())
}

/// The value of a setting in `-c name=value`, `-cname=value` or `--name=value`, the last one if
/// there are several. A space within a value is written `\ `.
fn option(options: &str, lower_name: &str) -> Option<String> {
    let mut words = vec![String::new()];
    let mut chars = options.chars();
    while let Some(c) = chars.next() {
        match (c, words.last_mut()) {
            ('\\', Some(word)) => word.extend(chars.next()),
            (c, _) if c.is_whitespace() => words.push(String::new()),
            (c, Some(word)) => word.push(c),
            (_, None) => {}
        }
    }
    words
        .iter()
        .rev()
        .filter_map(|word| {
            let word = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).unwrap_or(word);
            word.split_once('=')
        })
        .find(|(name, _)| name.to_lowercase().replace('-', "_") == lower_name)
        .map(|(_, value)| value.to_owned())
}

/// The statements that prepare a session.
pub(super) fn set_up(found: &[Setting], version: u32) -> Vec<String> {
    let mut statements = vec![
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
    ];
    for setting in found.iter().filter(|setting| setting.source != "assumed") {
        let value = match setting.name.as_str() {
            // A list: one literal would be one name of a style.
            "DateStyle" => {
                let parts: Vec<_> =
                    setting.value.split(',').map(|part| literal(part.trim())).collect();
                parts.join(", ")
            }
            _ => literal(&setting.value),
        };
        statements.push(format!("SET {} TO {value}", setting.name));
    }
    if 120_000 <= version {
        // A generic plan does not know how far apart the bounds of a batch are, and may scan the
        // table. Planning costs about 0.1 ms a batch.
        statements.push("SET plan_cache_mode TO force_custom_plan".to_owned());
    }
    for (name, milliseconds) in LIMITS {
        statements.push(format!(
            "SELECT set_config('{name}', '{milliseconds}', false) FROM pg_settings \
             WHERE name = '{name}' AND setting::bigint NOT BETWEEN 1 AND {milliseconds}"
        ));
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_url_are_read_like_the_server_does() {
        let cases = [
            ("-c timezone=Europe/Berlin", Some("Europe/Berlin")),
            ("-c search_path=a -cTimeZone=UTC", Some("UTC")),
            ("--timezone=Asia/Tokyo -c x=y", Some("Asia/Tokyo")),
            ("-c timezone=a -c timezone=b", Some("b")),
            ("-c timezone=a\\ b", Some("a b")),
            ("-c search_path=a", None),
        ];
        for (options, expected) in cases {
            assert_eq!(option(options, "timezone").as_deref(), expected, "{options}");
        }
    }

    #[test]
    fn what_is_assumed_is_not_set() {
        let setting = |name: &str, value: &str, source: &str| Setting {
            name: name.into(),
            value: value.into(),
            source: source.into(),
        };
        let found =
            [setting("TimeZone", "UTC", "assumed"), setting("DateStyle", "SQL, DMY", "role")];
        let statements = set_up(&found, 110_005).join("\n");
        assert!(!statements.contains("TimeZone"), "{statements}");
        assert!(statements.contains("SET DateStyle TO 'SQL', 'DMY'"), "{statements}");
        assert!(!statements.contains("plan_cache_mode"), "{statements}");
    }
}
