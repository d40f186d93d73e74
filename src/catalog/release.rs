//! Which database, and which release of it.

use std::fmt;

/// A database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// SQLite.
    Sqlite,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Postgres, Self::MySql, Self::MariaDb, Self::Sqlite];

    /// The word for it in files and options.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
            Self::Sqlite => "sqlite",
        }
    }

    /// The newest release with long support at the time of writing: what is assumed if none is named.
    #[must_use]
    pub fn usual(self) -> (u16, u16, u16) {
        match self {
            Self::Postgres => (15, 0, 0),
            Self::MySql => (8, 4, 0),
            Self::MariaDb => (10, 11, 0),
            Self::Sqlite => (3, 45, 0),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
            Self::Sqlite => "SQLite",
        })
    }
}

/// A release of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Which database.
    pub engine: Engine,
    /// Major first: `(15, 0, 0)`, `(8, 0, 29)`, `(10, 11, 0)`.
    pub version: (u16, u16, u16),
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        write!(f, "{} {major}", self.engine)?;
        // Since 10, PostgreSQL counts releases by one number.
        if self.engine != Engine::Postgres {
            write!(f, ".{minor}")?;
            if patch != 0 {
                write!(f, ".{patch}")?;
            }
        }
        Ok(())
    }
}

impl Release {
    /// Reads `postgres`, `mysql-8.0.36`, `mariadb 10.11`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what could stand there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_lowercase();
        let (word, version) = match lower.find(|c: char| c.is_ascii_digit()) {
            Some(at) => (lower[..at].trim_end_matches(['-', ' ', ':', '=']), &lower[at..]),
            None => (lower.as_str(), ""),
        };
        let engine = match word {
            "postgres" | "postgresql" | "pg" => Engine::Postgres,
            "mysql" => Engine::MySql,
            "mariadb" => Engine::MariaDb,
            "sqlite" => Engine::Sqlite,
            _ => {
                return Err(format!(
                    "`{text}` is no database that is known here; write `postgres-15`, `mysql-8.4`, \
                     `mariadb-10.11` or `sqlite`"
                ));
            }
        };
        if version.is_empty() {
            return Ok(Self { engine, version: engine.usual() });
        }
        let mut numbers = [0_u16; 3];
        for (at, part) in version.split('.').enumerate() {
            match (numbers.get_mut(at), part.parse()) {
                (Some(number), Ok(parsed)) => *number = parsed,
                _ => return Err(format!("`{version}` is no version; write it like `8.0.36`")),
            }
        }
        Ok(Self { engine, version: (numbers[0], numbers[1], numbers[2]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_as_people_write_them() {
        let cases = [
            ("postgres", "PostgreSQL 15"),
            ("pg16", "PostgreSQL 16"),
            ("PostgreSQL 18", "PostgreSQL 18"),
            ("mysql-8.0.29", "MySQL 8.0.29"),
            ("mariadb 10.11", "MariaDB 10.11"),
            ("sqlite", "SQLite 3.45"),
        ];
        for (text, shown) in cases {
            assert_eq!(Release::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for text in ["oracle", "mysql-eight", "mysql-8.x", "mysql-1.2.3.4", ""] {
            assert!(Release::parse(text).is_err(), "{text}");
        }
    }
}
