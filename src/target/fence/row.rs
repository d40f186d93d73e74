//! Reading the fence's rows.

use super::TABLE;
use crate::keyspace::Key;
use crate::target::{Class, Error, Result, Row};

/// A row of the fence.
pub(super) struct FenceRow<'a>(pub &'a Row);

impl FenceRow<'_> {
    pub(super) fn unreadable(&self, column: usize) -> Error {
        Error::new(
            Class::Unsuitable,
            format!(
                "the fence `{TABLE}` holds a row that this version cannot read (column {column} of \
                 {:?}); was it changed by hand, or written by another version?",
                self.0
            ),
        )
    }

    pub(super) fn text(&self, column: usize) -> Result<&str> {
        self.0.get(column).and_then(Option::as_deref).ok_or_else(|| self.unreadable(column))
    }

    pub(super) fn number<N: std::str::FromStr>(&self, column: usize) -> Result<N> {
        self.text(column)?.parse().map_err(|_| self.unreadable(column))
    }

    pub(super) fn key(&self, column: usize) -> Result<Option<Key>> {
        match self.0.get(column) {
            Some(Some(text)) => Key::from_json(text).map(Some).map_err(|_| self.unreadable(column)),
            _ => Ok(None),
        }
    }
}
