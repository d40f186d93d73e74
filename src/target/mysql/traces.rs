//! What MySQL and MariaDB show of a tool: its sessions, its locks, its triggers, its tables.
//!
//! **Invariant.** A session counts as the tool's only by what no other session shows: whoever is named
//! here may be killed.

use std::collections::BTreeSet;

use super::catalog::{one, rows, texts};
use super::dialect::quote;
use super::flavor::Flavor;
use super::holding::{self, Told};
use super::{lock, online};
use crate::target::online::{Beside, Reach, Transaction};
use crate::target::{Class, Error, Force, Mark, Place, Result, Session, Statement, Trace, Traces};

/// The longest name of a named lock. Source:
/// <https://dev.mysql.com/doc/refman/8.4/en/locking-functions.html>.
const LONGEST_LOCK: usize = 64;

/// A statement is shown up to so many characters.
const SHOWN: usize = 200;

/// Whose sessions are told from later ones of their numbers.
pub(super) struct Ours<'a> {
    /// The server.
    pub flavor: &'a Flavor,
    /// The database of the URL.
    pub database: &'a str,
    /// The job.
    pub job: &'a str,
}

/// See [`crate::target::Target::traces`].
pub(super) async fn traces(
    session: &mut dyn Session,
    ours: &Ours<'_>,
    place: &Place,
    mark: &Mark,
) -> Result<Traces> {
    let mut found = Traces::default();
    look(session, &mut found, "sessions", Look::Sessions(ours, place, mark)).await?;
    if !found.sessions.is_empty() {
        look(session, &mut found, "locks", Look::Locks(ours.flavor, place, mark)).await?;
    }
    look(session, &mut found, "rights", Look::Rights(ours.flavor, place, mark)).await?;
    look(session, &mut found, "triggers", Look::Triggers(place, mark)).await?;
    look(session, &mut found, "tables", Look::Tables(place, mark)).await?;
    Ok(found)
}

/// A part of what is looked at. One that cannot be had must not keep the others from being had.
enum Look<'a> {
    Sessions(&'a Ours<'a>, &'a Place, &'a Mark),
    Locks(&'a Flavor, &'a Place, &'a Mark),
    Rights(&'a Flavor, &'a Place, &'a Mark),
    Triggers(&'a Place, &'a Mark),
    Tables(&'a Place, &'a Mark),
}

async fn look(
    session: &mut dyn Session,
    found: &mut Traces,
    what: &str,
    look: Look<'_>,
) -> Result<()> {
    let done = match look {
        Look::Sessions(ours, place, mark) => sessions(session, ours, place, mark, found).await,
        Look::Locks(flavor, place, mark) => locks(session, flavor, place, mark, found).await,
        Look::Rights(flavor, place, mark) => rights(session, flavor, place, mark, found).await,
        Look::Triggers(place, mark) => triggers(session, place, mark, found).await,
        Look::Tables(place, mark) => tables(session, place, mark, found).await,
    };
    match done {
        Err(error) if error.is_lost() => Err(error),
        Err(error) => {
            found.unread.push(format!("its {what}: {error}"));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Whoever lacks `PROCESS` sees the sessions of one's own account alone, and the list would seem empty.
/// One of the catalog's tables refuses such an account on both products.
const MAY_SEE_ALL: &str = "\
SELECT CAST((SELECT COUNT(*) FROM information_schema.INNODB_METRICS WHERE NAME = '') AS CHAR)";

/// A session in the server's list.
struct Listed {
    id: String,
    user: String,
    host: String,
    database: String,
    command: String,
    seconds: u64,
    state: String,
    info: String,
}

impl Listed {
    fn from_row([id, user, host, database, command, time, state, info]: [String; 8]) -> Self {
        let seconds = time.parse().unwrap_or(0);
        Self { id, user, host, database, command, seconds, state, info }
    }

    /// The host that it comes from, without its port.
    fn client(&self) -> &str {
        self.host.rsplit_once(':').map_or(self.host.as_str(), |(host, _)| host)
    }

    fn port(&self) -> Option<&str> {
        self.host.rsplit_once(':').map(|(_, port)| port)
    }

    fn trace(&self) -> Trace {
        let mut statement: String = self.info.trim().chars().take(SHOWN).collect();
        if statement.is_empty() && self.command != "Sleep" {
            statement.clone_from(&self.state);
        }
        if self.command == "Killed" {
            statement = format!("killed, and not gone yet: {statement}");
        }
        Trace { session: self.id.clone(), statement, seconds: self.seconds }
    }

    /// Whether it runs a statement with one of the tool's comments on this table. The comment alone would
    /// not do: another run of the tool, on another table or in another database, has it as well.
    fn says(&self, place: &Place, mark: &Mark) -> bool {
        let names = || std::iter::once(&place.name).chain(&mark.tables);
        mark.comments.iter().any(|comment| self.info.contains(comment.as_str()))
            && names().any(|name| mentions(&self.info, name))
            && (self.database == place.schema || mentions(&self.info, &place.schema))
    }

    /// Whether its connection comes from one of these addresses. Where the server resolves names it shows
    /// one in the place of an address: then it must be the name under which it knows our own host.
    fn comes_from(&self, addresses: &[(String, String)], own_client: &str) -> bool {
        let Some(port) = self.port() else { return false };
        let named = self.client().parse::<std::net::IpAddr>().is_err();
        addresses.iter().any(|(host, at)| {
            at == port && (host == self.client() || named && self.client() == own_client)
        })
    }
}

/// Whether a statement has the name as a word of its own, quoted or not.
fn mentions(statement: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    statement.match_indices(name).any(|(at, _)| {
        let before = statement[..at].chars().next_back();
        let after = statement[at + name.len()..].chars().next();
        !name.is_empty() && !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// An address, taken apart; one of version 4 within version 6 is one of version 4.
fn address(text: &str) -> Option<(String, String)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((host.strip_prefix("::ffff:").unwrap_or(host).to_owned(), port.to_owned()))
}

async fn sessions(
    session: &mut dyn Session,
    ours: &Ours<'_>,
    place: &Place,
    mark: &Mark,
    found: &mut Traces,
) -> Result<()> {
    if let Err(error) = one::<1>(session, MAY_SEE_ALL, &[]).await {
        if error.is_lost() {
            return Err(error);
        }
        found.unread.push(format!(
            "sessions of other accounts: {error}; `GRANT PROCESS ON *.* TO …` would show them"
        ));
    }
    let numbers = named(session, ours, mark).await?;
    let by_pid = by_pid(session, mark).await?;
    let list = Statement::plain("SHOW FULL PROCESSLIST");
    let names = ["Id", "User", "Host", "db", "Command", "Time", "State", "Info"];
    let list = session.query_columns(&list, &names).await?;
    let list: Vec<Listed> = list.into_iter().map(texts).map(Listed::from_row).collect();
    let own = list.iter().find(|one| one.id == session.id());
    let own_client = own.map(Listed::client).unwrap_or_default();
    let addresses: Vec<_> = mark.addresses.iter().filter_map(|text| address(text)).collect();
    let others = || list.iter().filter(|one| one.id != session.id());
    let sure: BTreeSet<&str> = others()
        .filter(|one| {
            numbers.contains(&one.id)
                || one.says(place, mark)
                || one.comes_from(&addresses, own_client)
        })
        .map(|one| one.id.as_str())
        .collect();
    // Numbers of processes are a host's own, and behind an address there may be many containers: so the
    // host must be ours, and the account one that the tool is seen to use.
    let users: BTreeSet<&str> = others()
        .filter(|one| sure.contains(one.id.as_str()))
        .chain(own)
        .map(|one| one.user.as_str())
        .collect();
    let likely = |one: &Listed| {
        by_pid.contains(&one.id) && one.client() == own_client && users.contains(one.user.as_str())
    };
    found.sessions = others()
        .filter(|one| sure.contains(one.id.as_str()) || likely(one))
        .map(Listed::trace)
        .collect();
    Ok(())
}

/// Sessions that are known by their number: the holder of the tool's lock, and sessions of ours.
async fn named(
    session: &mut dyn Session,
    ours: &Ours<'_>,
    mark: &Mark,
) -> Result<BTreeSet<String>> {
    let mut numbers = BTreeSet::new();
    if let Some(name) = mark.lock.as_ref().filter(|name| name.chars().count() <= LONGEST_LOCK) {
        numbers.extend(lock::holder_id(session, name).await?);
    }
    for id in &mark.own {
        let name = lock::session_name(ours.database, ours.job, id);
        if lock::holder_id(session, &name).await?.as_ref() == Some(id) {
            numbers.insert(id.clone());
        }
    }
    Ok(numbers)
}

/// Sessions of the process, where clients tell the server their number: `performance_schema` is on.
async fn by_pid(session: &mut dyn Session, mark: &Mark) -> Result<BTreeSet<String>> {
    let Some(pid) = mark.pid else { return Ok(BTreeSet::new()) };
    let sql = "SELECT CAST(PROCESSLIST_ID AS CHAR) FROM performance_schema.session_connect_attrs \
               WHERE ATTR_NAME = '_pid' AND ATTR_VALUE = ?";
    match rows(session, sql, &[&pid.to_string()]).await {
        Ok(rows) => Ok(rows.into_iter().flatten().flatten().collect()),
        Err(error) if error.is_lost() => Err(error),
        Err(_) => Ok(BTreeSet::new()),
    }
}

/// Metadata locks of its sessions on the table and on those that it makes; where the server tells none,
/// what its transactions lock.
async fn locks(
    session: &mut dyn Session,
    flavor: &Flavor,
    place: &Place,
    mark: &Mark,
    found: &mut Traces,
) -> Result<()> {
    let ids: Vec<u64> = found.sessions.iter().filter_map(|one| one.session.parse().ok()).collect();
    let ids = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    if ids.is_empty() {
        return Ok(());
    }
    let sql = match holding::told(session, flavor).await? {
        Told::Schema => format!(
            "SELECT CONCAT(m.OBJECT_NAME, ': ', m.LOCK_TYPE, ', ', m.LOCK_STATUS, ', session ', \
             t.PROCESSLIST_ID), m.OBJECT_NAME FROM performance_schema.metadata_locks m \
             JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID \
             WHERE m.OBJECT_TYPE = 'TABLE' AND m.OBJECT_SCHEMA = ? AND t.PROCESSLIST_ID IN ({ids})"
        ),
        Told::Plugin => format!(
            "SELECT CONCAT(TABLE_NAME, ': ', LOCK_MODE, ', session ', THREAD_ID), TABLE_NAME \
             FROM information_schema.METADATA_LOCK_INFO WHERE LOCK_TYPE = 'Table metadata lock' \
             AND TABLE_SCHEMA = ? AND THREAD_ID IN ({ids})"
        ),
        Told::Nothing => format!(
            "SELECT CONCAT('a transaction, ', trx_state, ', ', trx_rows_locked, ' rows locked, session ', \
             trx_mysql_thread_id), ? FROM information_schema.INNODB_TRX \
             WHERE trx_mysql_thread_id IN ({ids})"
        ),
    };
    let told = rows(session, &sql, &[&place.schema]).await?;
    let of_it = |name: &str| {
        name == place.name || name == place.schema || mark.tables.iter().any(|own| own == name)
    };
    found.locks =
        told.into_iter().map(texts).filter(|[_, name]| of_it(name)).map(|[lock, _]| lock).collect();
    Ok(())
}

/// Whoever lacks `TRIGGER` sees no triggers, and whoever has no right to the database none of the tool's
/// tables; both without an error.
async fn rights(
    session: &mut dyn Session,
    flavor: &Flavor,
    place: &Place,
    mark: &Mark,
    found: &mut Traces,
) -> Result<()> {
    let (mut rights, has_roles) = online::granted(session, &place.schema, &place.name).await?;
    if has_roles {
        rights.extend(of_roles(session, flavor, place).await?);
    }
    let has = |reach: Reach, one_of: &[&str]| {
        rights.iter().any(|right| {
            let mut privileges = right.privileges.iter().map(String::as_str);
            reach <= right.reach
                && privileges.any(|own| own.starts_with("ALL") || one_of.contains(&own))
        })
    };
    let schema = quote(&place.schema);
    if !mark.triggers.is_empty() && !has(Reach::Table, &["TRIGGER"]) {
        found.unread.push(format!(
            "its triggers: the account may not see them; `GRANT TRIGGER ON {schema}.* TO …` would show them"
        ));
    }
    if !mark.tables.is_empty() && !has(Reach::Database, &ON_TABLES) {
        found.unread.push(format!(
            "its tables: the account may see none but its own; `GRANT SELECT ON {schema}.* TO …` would \
             show them"
        ));
    }
    Ok(())
}

/// Whoever has one of these to a table sees that it is there.
const ON_TABLES: [&str; 10] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "ALTER",
    "INDEX",
    "TRIGGER",
    "REFERENCES",
];

/// What the roles allow that are active in this session.
async fn of_roles(
    session: &mut dyn Session,
    flavor: &Flavor,
    place: &Place,
) -> Result<Vec<crate::target::online::Right>> {
    let [roles] = one(session, "SELECT CURRENT_ROLE()", &[]).await?;
    if roles.is_empty() || roles == "NONE" {
        return Ok(Vec::new());
    }
    let sql = if flavor.mariadb {
        "SHOW GRANTS FOR CURRENT_ROLE".to_owned()
    } else {
        format!("SHOW GRANTS FOR CURRENT_USER() USING {roles}")
    };
    let grants = rows(session, &sql, &[]).await?.into_iter().flatten().flatten();
    Ok(grants.filter_map(|grant| online::right(&grant, &place.schema, &place.name)).collect())
}

/// Also those on its own tables: after the swap, they stand on the old one. A trigger of another table may
/// begin with the same letters.
async fn triggers(
    session: &mut dyn Session,
    place: &Place,
    mark: &Mark,
    found: &mut Traces,
) -> Result<()> {
    if mark.triggers.is_empty() {
        return Ok(());
    }
    let sql = "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS \
               WHERE TRIGGER_SCHEMA = ? ORDER BY TRIGGER_NAME";
    let old = format!("_{}_old", place.name);
    let is_its = |name: &str, table: &str| {
        let begins = name.starts_with(&mark.triggers);
        if table == place.name {
            // A name that would be too long is cut, and may have lost what it begins with.
            return begins || online::is_of_percona(name);
        }
        begins && (table == old || mark.tables.iter().any(|own| own == table))
    };
    found.triggers = rows(session, sql, &[&place.schema])
        .await?
        .into_iter()
        .map(texts)
        .filter(|[name, table]| is_its(name, table))
        .map(|[name, _]| name)
        .collect();
    Ok(())
}

async fn tables(
    session: &mut dyn Session,
    place: &Place,
    mark: &Mark,
    found: &mut Traces,
) -> Result<()> {
    if mark.tables.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? \
         AND TABLE_NAME IN ({}) ORDER BY TABLE_NAME",
        vec!["?"; mark.tables.len()].join(", ")
    );
    let binds: Vec<&str> =
        std::iter::once(&place.schema).chain(&mark.tables).map(String::as_str).collect();
    found.tables = rows(session, &sql, &binds)
        .await?
        .into_iter()
        .map(texts)
        .map(|[name, comment]| Beside { name, comment })
        .collect();
    Ok(())
}

/// See [`crate::target::Target::end_session`].
pub(super) async fn end_session(
    session: &mut dyn Session,
    flavor: &Flavor,
    number: &str,
    force: Force,
) -> Result<()> {
    let number: u64 = number.parse().map_err(|_| {
        Error::new(Class::Refused, format!("`{number}` is no number of a session here"))
    })?;
    let what = match force {
        Force::Cancel => "QUERY",
        Force::Terminate => "CONNECTION",
    };
    // That it is gone is no error to the session either.
    let kill = Statement::plain(format!("KILL {what} {number}"));
    session.query(&kill).await.map(drop).map_err(|error| {
        let right = match flavor {
            flavor if flavor.is_mysql_since((8, 0, 0)) => "CONNECTION_ADMIN",
            flavor if flavor.is_mariadb_since((10, 5, 2)) => "CONNECTION ADMIN",
            _ => "SUPER",
        };
        if error.code.as_deref() == Some(NOT_OWNER) {
            error.with_grant(&format!("GRANT {right} ON *.* TO …"))
        } else {
            error
        }
    })
}

/// "You are not owner of thread".
const NOT_OWNER: &str = "1095";

/// See [`crate::target::Target::holders`].
pub(super) async fn holders(
    session: &mut dyn Session,
    ours: &Ours<'_>,
    place: &Place,
    mark: &Mark,
) -> Result<std::result::Result<Vec<Transaction>, String>> {
    let mut tool = Traces::default();
    let seen = sessions(session, ours, place, mark, &mut tool).await;
    let held = match seen {
        Ok(()) => holding::transactions(session, ours.flavor, &place.schema, &place.name).await,
        Err(error) => Err(error),
    };
    match held {
        Ok((mut transactions, _)) => {
            transactions.retain(|one| tool.sessions.iter().all(|own| own.session != one.session));
            Ok(Ok(transactions))
        }
        Err(error) if error.is_lost() => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(host: &str, info: &str) -> Listed {
        Listed::from_row(
            ["7", "u", host, "shop", "Query", "3", "updating", info].map(str::to_owned),
        )
    }

    #[test]
    fn a_comment_alone_is_not_the_tools() {
        let place = Place { schema: "shop".into(), name: "orders".into() };
        let mark = Mark {
            comments: vec!["/* gh-ost".into()],
            tables: vec!["_orders_gho".into()],
            ..Mark::default()
        };
        let says = |info: &str| listed("h:1", info).says(&place, &mark);
        assert!(says("lock /* gh-ost */ tables `shop`.`orders` write"));
        assert!(!says("lock /* gh-ost */ tables `shop`.`users` write"));
        assert!(!says("lock /* gh-ost */ tables `shop`.`orders_2` write"));
        assert!(says("insert /* gh-ost */ into `shop`.`_orders_gho`"));
        assert!(!says("SELECT * FROM orders"));
        let elsewhere = Place { schema: "other".into(), name: "orders".into() };
        let lock = listed("h:1", "lock /* gh-ost */ tables `shop`.`orders` write");
        assert!(!lock.says(&elsewhere, &mark));
    }

    #[test]
    fn an_address_is_one_hosts_and_a_name_only_our_own() {
        let from = |host: &str, own: &str| {
            let addresses: Vec<_> = ["127.0.0.1:40312", "[::ffff:10.0.0.5]:40313"]
                .iter()
                .filter_map(|a| address(a))
                .collect();
            listed(host, "").comes_from(&addresses, own)
        };
        assert!(from("127.0.0.1:40312", "127.0.0.1"));
        assert!(from("10.0.0.5:40313", "10.0.0.5"));
        assert!(from("runner.example:40313", "runner.example"));
        assert!(!from("app.example:40313", "runner.example"));
        assert!(!from("10.0.0.6:40313", "10.0.0.6"));
        assert!(!from("localhost", "localhost"));
    }
}
