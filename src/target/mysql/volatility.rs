//! What is known of a function of MySQL or MariaDB.

use super::functions::{CLOCKS, DETERMINISTIC};
use crate::sql::{Call, Use};
use crate::target::volatility::Volatility;
use crate::target::{Bind, Result, Session, Statement};

/// See [`crate::target::Target::volatility`].
pub(super) async fn of(session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>> {
    let mut answers = Vec::with_capacity(uses.len());
    for one in uses {
        answers.push(match one {
            Use::Call(call) => of_call(session, call).await?,
            // Neither product lets anyone define operators, types or casts, and no text means the
            // present moment.
            Use::Operator(_) | Use::Cast(_) | Use::Text(_) => Volatility::Pure,
        });
    }
    Ok(answers)
}

async fn of_call(session: &mut dyn Session, call: &Call) -> Result<Volatility> {
    let name = call.name.to_lowercase();
    if call.schema.is_none() {
        let arguments = call.arguments.len();
        // Without an argument it is the present time; with one it converts that.
        let clock = CLOCKS.contains(&name.as_str()) || (name == "unix_timestamp" && arguments == 0);
        if clock {
            return Ok(Volatility::clock(&call.name));
        }
        if call.keyword {
            return Ok(Volatility::Volatile(format!("`{}` depends on the session", call.name)));
        }
        if DETERMINISTIC.binary_search(&name.as_str()).is_ok() {
            return Ok(Volatility::Pure);
        }
    }
    stored(session, call).await
}

/// A stored function, by what its definition declares.
async fn stored(session: &mut dyn Session, call: &Call) -> Result<Volatility> {
    let sql = "SELECT IS_DETERMINISTIC, SQL_DATA_ACCESS FROM information_schema.ROUTINES \
               WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA = COALESCE(?, DATABASE()) \
               AND ROUTINE_NAME = ?";
    let binds = vec![Bind::Text(call.schema.clone()), Bind::Text(Some(call.name.clone()))];
    let rows = session.query(&Statement { sql: sql.to_owned(), binds }).await?;
    let Some(row) = rows.first() else {
        return Ok(Volatility::unknown(&call.name, call.arguments.len()));
    };
    let of = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
    Ok(match (of(0), of(1)) {
        ("YES", "READS SQL DATA" | "MODIFIES SQL DATA") => Volatility::Volatile(format!(
            "`{}` is declared {}, so it may read what the job writes",
            call.name,
            of(1)
        )),
        ("YES", _) => Volatility::Pure,
        _ => Volatility::Volatile(format!("`{}` is declared NOT DETERMINISTIC", call.name)),
    })
}
