//! Whether a person may do something that cannot be taken back: one function, which everything asks.

use super::{Error, person};
use crate::spec::{Confirm, TeamHandoff};

/// What somebody is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action<'a> {
    /// In words, after `you are about to`.
    pub what: String,
    /// The table that it is done to: what has to be typed.
    pub table: &'a str,
}

/// Puts a question to a person, and returns the line that was typed.
pub type Ask<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How somebody consents.
#[derive(Default)]
pub struct Consent<'a> {
    /// `--yes`.
    pub yes: bool,
    /// `--reason`.
    pub reason: Option<String>,
    /// Asks at the terminal, and returns the line that was typed; none where there is no terminal.
    pub ask: Option<Ask<'a>>,
}

/// A permission, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// Who.
    pub by: String,
    /// Why, where it was said.
    pub reason: Option<String>,
}

impl std::fmt::Display for Permit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{}: {reason}", self.by),
            None => f.write_str(&self.by),
        }
    }
}

/// Permits an action, or says what is missing: on a terminal the table's name, typed; elsewhere `--yes` and
/// a reason. `--yes` with a reason does on a terminal as well.
///
/// # Errors
///
/// [`Error::NotPermitted`].
pub fn permit(
    action: &Action<'_>,
    config: &TeamHandoff,
    consent: &Consent<'_>,
) -> Result<Permit, Error> {
    let refused = |why: String| Error::NotPermitted { what: action.what.clone(), why };
    let reason = consent.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    let permitted = Permit { by: person(), reason: reason.map(str::to_owned) };
    if consent.yes {
        if reason.is_none() {
            return Err(refused(
                "`--yes` needs a `--reason TEXT`, for those who come after you".into(),
            ));
        }
        return Ok(permitted);
    }
    let typed = config.confirm == Confirm::Typed;
    let Some(ask) = consent.ask.filter(|_| typed) else {
        return Err(refused("say so with `--yes --reason TEXT`".into()));
    };
    let question = format!("you are about to {}; type the table's name to go on: ", action.what);
    match ask(&question) {
        Some(line) if line.trim() == action.table => Ok(permitted),
        Some(line) => Err(refused(format!(
            "`{}` was typed, and the table is `{}`",
            line.trim(),
            action.table
        ))),
        None => Err(refused("nothing was typed".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(confirm: Confirm, consent: &Consent<'_>) -> Result<Option<String>, String> {
        let action = Action { what: "cut `orders` over".to_owned(), table: "orders" };
        let config = TeamHandoff { confirm, ..TeamHandoff::default() };
        permit(&action, &config, consent)
            .map(|permit| permit.reason)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_name_is_typed_at_a_terminal_and_elsewhere_a_reason_is_given() {
        let says = |line: &'static str| move |_: &str| Some(line.to_owned());
        let (right, wrong) = (says("orders\n"), says("yes\n"));
        let at = |ask| Consent { ask: Some(ask), ..Consent::default() };
        assert_eq!(asked(Confirm::Typed, &at(&right)), Ok(None));
        assert!(asked(Confirm::Typed, &at(&wrong)).unwrap_err().contains("`yes` was typed"));
        assert!(asked(Confirm::Yes, &at(&right)).unwrap_err().contains("--yes"));
        assert!(asked(Confirm::Typed, &Consent::default()).unwrap_err().contains("--yes"));
        let yes = |reason: Option<&str>| Consent {
            yes: true,
            reason: reason.map(str::to_owned),
            ask: None,
        };
        assert!(asked(Confirm::Typed, &yes(Some(" "))).unwrap_err().contains("--reason"));
        assert_eq!(asked(Confirm::Yes, &yes(Some("PAY-7"))), Ok(Some("PAY-7".to_owned())));
    }
}
