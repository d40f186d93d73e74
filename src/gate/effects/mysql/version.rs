//! What a server of a certain version can do: every boundary, once.

use crate::gate::{Engine, Server};

/// MySQL or MariaDB of a certain version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flavor {
    /// MariaDB, not MySQL.
    pub mariadb: bool,
    version: (u16, u16, u16),
}

impl Flavor {
    /// That of a server.
    pub(super) fn of(server: Server) -> Self {
        Self { mariadb: server.engine == Engine::MariaDb, version: server.version }
    }

    fn since(self, mysql: Option<(u16, u16, u16)>, mariadb: Option<(u16, u16, u16)>) -> bool {
        let first = if self.mariadb { mariadb } else { mysql };
        first.is_some_and(|first| self.version >= first)
    }

    /// `ALGORITHM=INSTANT`, and with it a new column at the end, defaults, enum labels.
    pub(super) fn instant(self) -> bool {
        self.since(Some((8, 0, 12)), Some((10, 3, 0)))
    }

    /// Any place for a new column, and dropping one, in the dictionary alone.
    pub(super) fn instant_anywhere(self) -> bool {
        self.since(Some((8, 0, 29)), Some((10, 4, 0)))
    }

    /// Another order of the columns in the dictionary alone.
    pub(super) fn instant_reorder(self) -> bool {
        self.since(None, Some((10, 4, 0)))
    }

    /// Another name of a column in the dictionary alone.
    pub(super) fn instant_rename_column(self) -> bool {
        self.since(Some((8, 0, 28)), Some((10, 3, 0)))
    }

    /// Another name of an index in the dictionary alone.
    pub(super) fn instant_rename_index(self) -> bool {
        self.since(None, Some((10, 5, 3)))
    }

    /// Longer columns and other collations in the dictionary alone.
    pub(super) fn instant_types(self) -> bool {
        self.since(None, Some((10, 4, 3)))
    }

    /// `utf8mb3` becomes `utf8mb4` in place. Of MySQL, 8.0.37 is the first that was seen to do it.
    pub(super) fn widens_charset(self) -> bool {
        self.since(Some((8, 0, 37)), Some((10, 4, 3)))
    }

    /// A copy while rows are written.
    pub(super) fn copies_online(self) -> bool {
        self.since(None, Some((11, 2, 0)))
    }

    /// `CHECK` is more than a word.
    pub(super) fn checks(self) -> bool {
        self.since(Some((8, 0, 16)), Some((10, 2, 1)))
    }

    /// `REFERENCES` behind a column is more than a word.
    pub(super) fn inline_references(self) -> bool {
        self.since(Some((9, 0, 0)), Some((10, 5, 0)))
    }

    /// A key of other tables that refers here is told apart, and its columns are renamed in place.
    pub(super) fn renames_referenced_instantly(self) -> bool {
        self.mariadb
    }

    /// How often a table may change instantly before it must be written anew.
    pub(super) fn row_versions(self) -> Option<u16> {
        if self.mariadb || !self.instant_anywhere() {
            None
        } else if self.version >= (9, 1, 0) {
            Some(255)
        } else {
            Some(64)
        }
    }

    /// A `timestamp` is `NOT NULL` unless it says otherwise.
    pub(super) fn timestamps_are_not_null(self) -> bool {
        !self.since(Some((8, 0, 2)), Some((10, 10, 0)))
    }

    /// The collation of a character set for which none is given.
    pub(super) fn collation_of(self, charset: &str) -> String {
        let name = match charset {
            "latin1" => "latin1_swedish_ci",
            "binary" => "binary",
            "utf8mb4" if self.since(Some((8, 0, 1)), None) => "utf8mb4_0900_ai_ci",
            "utf8mb4" if self.since(None, Some((11, 6, 0))) => "utf8mb4_uca1400_ai_ci",
            "utf8mb3" if self.since(None, Some((11, 6, 0))) => "utf8mb3_uca1400_ai_ci",
            other => return format!("{other}_general_ci"),
        };
        name.to_owned()
    }
}
