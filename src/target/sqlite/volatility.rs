//! What `pragma_function_list` says of a function.

use crate::sql::{Call, Use};
use crate::target::volatility::Volatility;
use crate::target::{Bind, Result, Session, Statement};

/// Date and time functions, with the places of their time values.
/// Source: <https://www.sqlite.org/lang_datefunc.html>, sections 1 and 2.
const OF_TIME: [(&str, &[usize]); 7] = [
    ("date", &[0]),
    ("time", &[0]),
    ("datetime", &[0]),
    ("julianday", &[0]),
    ("unixepoch", &[0]),
    ("strftime", &[1]),
    ("timediff", &[0, 1]),
];

/// See [`crate::target::Target::volatility`].
pub(super) async fn of(session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>> {
    let mut answers = Vec::with_capacity(uses.len());
    for one in uses {
        answers.push(match one {
            Use::Call(call) => of_call(session, call).await?,
            // Operators and casts are SQLite's own, and a text means a time only to a function.
            Use::Operator(_) | Use::Cast(_) | Use::Text(_) => Volatility::Pure,
        });
    }
    Ok(answers)
}

async fn of_call(session: &mut dyn Session, call: &Call) -> Result<Volatility> {
    let name = call.name.to_lowercase();
    if call.keyword {
        return Ok(Volatility::clock(&call.name));
    }
    if let Some((_, places)) = OF_TIME.iter().find(|(known, _)| *known == name) {
        // SQLite flags them as deterministic and finds out while it runs.
        let clock = places.iter().any(|place| match call.arguments.get(*place) {
            None => true,
            Some(Some(text)) => {
                let text = text.trim().to_ascii_lowercase();
                ["now", "subsec", "subsecond"].contains(&text.as_str())
            }
            Some(None) => false,
        });
        return Ok(if clock { Volatility::clock(&call.name) } else { Volatility::Pure });
    }
    let arguments = call.arguments.len();
    // 0x800 is SQLITE_DETERMINISTIC. Aggregates do not carry it.
    let sql = format!(
        "SELECT min(flags & 2048 <> 0 OR (builtin AND type IN ('a', 'w'))) \
         FROM pragma_function_list WHERE name = ?1 AND (narg = {arguments} OR narg < 0)"
    );
    let rows = session.query(&Statement { sql, binds: vec![Bind::Text(Some(name))] }).await?;
    Ok(match rows.first().and_then(|row| row.first()?.as_deref()) {
        Some("1") => Volatility::Pure,
        Some(_) => {
            Volatility::Volatile(format!("SQLite does not call `{}` deterministic", call.name))
        }
        None => Volatility::unknown(&call.name, arguments),
    })
}
