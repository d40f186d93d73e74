//! What a change under way leaves behind on the server, and how it is removed.

use super::Place;

/// Something to be taken away, or to be put aside. One statement each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Leftover {
    /// A trigger on that table, to be dropped.
    Trigger {
        /// The table that it is on.
        on: Place,
        /// Its name.
        name: String,
    },
    /// A table, to be dropped.
    Table(Place),
    /// A table, to get another name in its schema.
    Rename {
        /// The table.
        from: Place,
        /// Its new name.
        to: String,
    },
}
