//! What can be changed in a gh-ost that runs, under the names that all tools share.

use super::Refused;
use crate::spec::Duration;

/// A setting.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    /// gh-ost's command.
    pub(super) command: &'static str,
    /// The value as gh-ost takes it, or what it must be.
    pub(super) value: fn(&str) -> Result<String, &'static str>,
}

/// Every setting.
static ALL: [Setting; 6] = [
    Setting { name: "chunk_size", example: "500", command: "chunk-size", value: whole },
    Setting { name: "max_lag", example: "2s", command: "max-lag-millis", value: millis },
    Setting { name: "max_load", example: "Threads_running=25", command: "max-load", value: load },
    Setting {
        name: "critical_load",
        example: "Threads_running=200",
        command: "critical-load",
        value: load,
    },
    Setting { name: "nice", example: "0.5", command: "nice-ratio", value: share },
    Setting { name: "batch_size", example: "10", command: "dml-batch-size", value: whole },
];

/// The names, with an example each.
pub(super) static EXAMPLES: [(&str, &str); ALL.len()] = {
    let mut examples = [("", ""); ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        examples[at] = (ALL[at].name, ALL[at].example);
        at += 1;
    }
    examples
};

impl Setting {
    /// The setting of that name.
    pub(super) fn named(name: &str) -> Result<&'static Self, Refused> {
        ALL.iter().find(|setting| setting.name == name).ok_or_else(|| {
            let names = EXAMPLES.map(|(name, _)| format!("`{name}`")).join(", ");
            Refused::NotNow(format!("gh-ost has no setting `{name}`; it has {names}"))
        })
    }
}

fn whole(text: &str) -> Result<String, &'static str> {
    let number = text.trim().replace('_', "").parse::<u32>().ok().filter(|number| 0 < *number);
    number.map(|number| number.to_string()).ok_or("it must be a whole number above 0")
}

fn share(text: &str) -> Result<String, &'static str> {
    let number = text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && 0.0 <= *n);
    number.map(|number| number.to_string()).ok_or("it must be a number of at least 0")
}

/// A bare number is milliseconds, as gh-ost has it.
fn millis(text: &str) -> Result<String, &'static str> {
    if let Ok(number) = whole(text) {
        return Ok(number);
    }
    let duration = text.trim().parse::<Duration>().ok().filter(|duration| !duration.0.is_zero());
    duration.map(|duration| duration.0.as_millis().to_string()).ok_or("it must be a duration")
}

/// Status variables with their limits; anything else could be another command of the socket.
fn load(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_limit = |part: &str| {
        part.split_once('=').is_some_and(|(name, limit)| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && limit.parse::<u64>().is_ok()
        })
    };
    if text.split(',').all(is_limit) {
        Ok(text.to_owned())
    } else {
        Err("it must be status variables with their limits")
    }
}

/// Whether gh-ost's word for a value is the one that it was given.
pub(super) fn is_same(took: &str, given: &str) -> bool {
    if let (Ok(took), Ok(given)) = (took.parse::<f64>(), given.parse::<f64>()) {
        return (took - given).abs() < 1e-9;
    }
    let parts = |text: &str| {
        let mut parts: Vec<String> = text.split(',').map(str::to_owned).collect();
        parts.sort();
        parts
    };
    parts(took) == parts(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_is_a_value_and_nothing_else_passes() {
        for setting in &ALL {
            let value = (setting.value)(setting.example).unwrap();
            assert!(is_same(&value, &(setting.value)(&value).unwrap()), "{}", setting.name);
            for bad in ["", "?", "1\npanic", "-1", "x y", "panic", "Threads_running", "NaN"] {
                assert!((setting.value)(bad).is_err(), "{}={bad}", setting.name);
            }
        }
        assert_eq!((ALL[1].value)("2s").unwrap(), "2000");
        assert_eq!((ALL[1].value)("1500").unwrap(), "1500");
        let Err(refused) = Setting::named("speed") else { panic!("there is no speed") };
        assert!(refused.to_string().contains("`chunk_size`, `max_lag`"), "{refused}");
    }

    #[test]
    fn what_gh_ost_took_is_compared_as_what_it_is() {
        assert!(is_same("0.5", "0.50") && is_same("1", "1.0"));
        assert!(is_same("A=1,B=2", "B=2,A=1"));
        assert!(!is_same("10", "5") && !is_same("", "5"));
    }
}
