//! The checksum over rows, as an aggregate function of our connections.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use sha2::{Digest as _, Sha256};

/// The function's name.
pub(super) const NAME: &str = "backstop_checksum";

/// Makes the connection know the function: of any number of columns, and only in our statements, not in
/// a view or a trigger of the user's.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_aggregate_function(NAME, -1, flags, Checksum)
}

/// Adds up the first 60 bits of each row's digest, as the servers do with theirs.
struct Checksum;

impl Aggregate<u128, String> for Checksum {
    fn init(&self, _: &mut Context<'_>) -> Result<u128> {
        Ok(0)
    }

    fn step(&self, row: &mut Context<'_>, sum: &mut u128) -> Result<()> {
        let mut digest = Sha256::new();
        for column in 0..row.len() {
            let (kind, bytes): (u8, Vec<u8>) = match row.get_raw(column) {
                ValueRef::Null => (0, Vec::new()),
                ValueRef::Integer(number) => (1, number.to_le_bytes().to_vec()),
                ValueRef::Real(number) => (2, number.to_bits().to_le_bytes().to_vec()),
                ValueRef::Text(text) => (3, text.to_vec()),
                ValueRef::Blob(bytes) => (4, bytes.to_vec()),
            };
            digest.update([kind]);
            digest.update(bytes.len().to_le_bytes());
            digest.update(&bytes);
        }
        let first =
            digest.finalize().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        *sum += u128::from(first >> 4);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<u128>) -> Result<String> {
        Ok(sum.unwrap_or(0).to_string())
    }
}
