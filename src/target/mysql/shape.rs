//! What a table is, and how what a tool left behind is taken away.

use std::fmt::Write as _;

use super::catalog::{one, rows};
use super::dialect::{MySqlDialect, quote};
use super::flavor::Flavor;
use super::holding;
use crate::event::RetryReason;
use crate::target::{Class, Dialect, Error, Leftover, Place, Result, Session, Shape, Statement};

/// "Table doesn't exist".
const NO_SUCH_TABLE: &str = "1146";

/// "Unknown database".
const NO_SUCH_DATABASE: &str = "1049";

/// See [`crate::target::Target::shape`].
pub(super) async fn shape(
    session: &mut dyn Session,
    flavor: &Flavor,
    place: &Place,
) -> Result<Option<Shape>> {
    let show = format!("SHOW CREATE TABLE {}.{}", quote(&place.schema), quote(&place.name));
    let shown = session.query_columns(&Statement::plain(show), &["Create Table"]).await;
    let definition = match shown {
        Ok(rows) => rows.into_iter().flatten().flatten().next(),
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(definition) = definition else {
        let message = format!("`{}` is no table, but a view", place.name);
        return Err(Error::new(Class::Refused, message));
    };
    let identity = match identity(session, flavor, place).await {
        Ok(identity) => identity,
        Err(error) if error.is_lost() => return Err(error),
        // Without PROCESS the number cannot be told, and the definition alone decides.
        Err(_) => String::new(),
    };
    Ok(Some(Shape { definition, identity }))
}

fn is_absent(error: &Error) -> bool {
    [NO_SUCH_TABLE, NO_SUCH_DATABASE].map(Some).contains(&error.code.as_deref())
}

/// InnoDB's number of the table, or those of its partitions: it goes along with RENAME, and a copy has
/// another. (Both seen on MySQL 9.7 and MariaDB 10.11, where an INSTANT change keeps it on the second and
/// on the first as well.)
async fn identity(session: &mut dyn Session, flavor: &Flavor, place: &Place) -> Result<String> {
    let (Some(schema), Some(name)) = (on_disk(&place.schema), on_disk(&place.name)) else {
        return Ok(String::new());
    };
    let view = if flavor.mariadb || !flavor.is_mysql_since((8, 0, 0)) {
        "INNODB_SYS_TABLES"
    } else {
        "INNODB_TABLES"
    };
    let whole = format!("{schema}/{name}");
    let length = whole.len();
    // Numbers and not texts, so that they come in their order; by bytes, for `T` is another table than `t`.
    let sql = format!(
        "SELECT CAST(TABLE_ID AS CHAR) FROM information_schema.{view} \
         WHERE CAST(LEFT(NAME, {length}) AS BINARY) = CAST(? AS BINARY) \
         AND (CHAR_LENGTH(NAME) = {length} OR LOWER(SUBSTR(NAME, {length} + 1, 3)) = '#p#') \
         ORDER BY TABLE_ID"
    );
    let numbers = rows(session, &sql, &[&whole]).await?;
    Ok(numbers.into_iter().flatten().flatten().collect::<Vec<_>>().join(","))
}

/// A name as InnoDB writes it, which is the file's; none for one with letters of other scripts, whose codes
/// are a table of their own. Source:
/// <https://dev.mysql.com/doc/refman/8.4/en/identifier-mapping.html>.
fn on_disk(name: &str) -> Option<String> {
    let mut encoded = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() || letter == '_' => encoded.push(letter),
            letter if letter.is_ascii() => {
                // Writing to a String cannot fail.
                let _ = write!(encoded, "@{:04x}", u32::from(letter));
            }
            _ => return None,
        }
    }
    Some(encoded)
}

/// See [`crate::target::Target::remove`].
///
/// A change of a table waits for those who hold it, and whoever comes later waits behind the change. MariaDB
/// knows a wait of zero, and then nobody waits. On MySQL the least is a second, so those are looked at
/// first who have held it for longer than a moment.
pub(super) async fn remove(
    session: &mut dyn Session,
    dialect: &MySqlDialect,
    leftover: &Leftover,
) -> Result<()> {
    let flavor = &dialect.flavor;
    let table = match leftover {
        Leftover::Trigger { on, .. } => on,
        Leftover::Table(table) | Leftover::Rename { from: table, .. } => table,
    };
    if let Leftover::Rename { from, to } = leftover {
        let new = Place { schema: from.schema.clone(), name: to.clone() };
        if !is_there(session, from).await? && is_there(session, &new).await? {
            return Ok(());
        }
    }
    if !flavor.mariadb {
        is_free(session, flavor, table).await?;
    }
    set_wait(session, u32::from(!flavor.mariadb)).await?;
    let done = session.execute(&Statement::plain(dialect.removal(leftover))).await;
    if !done.as_ref().is_err_and(Error::is_lost) {
        set_wait(session, USUAL_WAIT).await?;
    }
    done.map(drop)
}

/// What every session of ours has, in seconds: see `PREPARE` next door.
const USUAL_WAIT: u32 = 10;

async fn set_wait(session: &mut dyn Session, seconds: u32) -> Result<()> {
    let sql = format!("SET SESSION lock_wait_timeout = {seconds}");
    session.execute(&Statement::plain(sql)).await.map(drop)
}

async fn is_free(session: &mut dyn Session, flavor: &Flavor, table: &Place) -> Result<()> {
    let held = holding::transactions(session, flavor, &table.schema, &table.name).await;
    let (holders, tells) = match held {
        Ok(held) => held,
        Err(error) if error.is_lost() => return Err(error),
        // Then the attempt itself will tell, at the price of a second.
        Err(_) => return Ok(()),
    };
    match holders.iter().filter(|_| tells).max_by_key(|one| one.seconds) {
        Some(one) if 0 < one.seconds => Err(Error::new(
            Class::Retry(RetryReason::LockTimeout),
            format!(
                "session {} of `{}` has held `{}` for {} s",
                one.session, one.user, table.name, one.seconds
            ),
        )),
        _ => Ok(()),
    }
}

async fn is_there(session: &mut dyn Session, place: &Place) -> Result<bool> {
    let sql = "SELECT TABLE_NAME FROM information_schema.TABLES \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?";
    let [found] = one(session, sql, &[&place.schema, &place.name]).await?;
    Ok(!found.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_files_are() {
        assert_eq!(on_disk("_orders_gho").as_deref(), Some("_orders_gho"));
        assert_eq!(on_disk("or-ders.x").as_deref(), Some("or@002dders@002ex"));
        assert_eq!(on_disk("bestellungen_ä"), None);
    }
}
