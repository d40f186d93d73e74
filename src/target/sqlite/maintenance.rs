//! ANALYZE on SQLite.

use crate::catalog::Table;
use crate::target::{Chore, Dialect, Maintenance, Statement};

/// Rows of each index that are looked at: what SQLite itself recommends, so that the file's lock is
/// held for milliseconds and not for as long as the table is.
/// <https://www.sqlite.org/lang_analyze.html#approx>
const LOOK_AT: u32 = 1000;

/// How it is done for the table.
pub(super) fn of(dialect: &dyn Dialect, table: &Table, maintenance: Maintenance) -> Chore {
    match maintenance {
        Maintenance::Vacuum => Err("VACUUM of SQLite writes the whole file anew and keeps \
                                    everybody out meanwhile; do it by hand when nobody is there"
            .to_owned()),
        Maintenance::Analyze => {
            let name = format!("{}.{}", dialect.quote(&table.schema), dialect.quote(&table.name));
            Ok(vec![
                Statement::plain(format!("PRAGMA analysis_limit = {LOOK_AT}")),
                Statement::plain(format!("ANALYZE {name}")),
            ])
        }
    }
}
