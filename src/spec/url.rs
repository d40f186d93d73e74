//! URLs with secrets: kept out of every text that a person or a file may see.

use std::fmt;

/// A text that must not be shown: its `Debug` form is `***`, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the driver.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Puts the values of variables into a template.
///
/// A template that is nothing but one `${VAR}` is replaced by the value as it is. In any other
/// place the value is percent-encoded, because it is one component of a URL: a password such as
/// `p@ss/word` then needs no preparation.
///
/// # Errors
///
/// A sentence that names the variable that is not set, or the `${` that is not closed.
pub fn expand(template: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Secret, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find("${") {
        let end = rest[start..]
            .find('}')
            .map(|end| start + end)
            .ok_or_else(|| format!("`${{` in `{template}` is not closed with `}}`"))?;
        let name = &rest[start + 2..end];
        let value = lookup(name).ok_or_else(|| {
            format!("the environment variable `{name}` is not set, and the target's `url` needs it")
        })?;
        text.push_str(&rest[..start]);
        if start == 0 && end + 1 == template.len() {
            text.push_str(&value);
        } else {
            text.extend(::url::form_urlencoded::byte_serialize(value.as_bytes()).map(
                // Form encoding writes a space as `+`, which a URL's user part takes literally.
                |part| if part == "+" { "%20" } else { part },
            ));
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    Ok(Secret(text))
}

/// The URL without user and password, fit to be shown.
#[must_use]
pub fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // `sqlite:path` holds no secret; anything else of this form is not a URL we know.
        return if url.starts_with("sqlite:") { url.to_owned() } else { "***".to_owned() };
    };
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    // A password that was not percent-encoded may hold `/` and `@`: hide up to the last `@`.
    let host = rest.rfind('@').map_or(0, |at| at + 1);
    let host = if authority_end < host || 0 < host { &rest[host..] } else { rest };
    let without_query = host.split('?').next().unwrap_or_default();
    format!("{scheme}://{without_query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_as_components_and_whole_urls_are_not() {
        let lookup = |name: &str| match name {
            "PW" => Some("p@ss w/rd%".to_owned()),
            "URL" => Some("postgres://a:b@h/d".to_owned()),
            _ => None,
        };
        let expanded = expand("postgres://app:${PW}@db/prod", lookup).unwrap();
        assert_eq!(expanded.reveal(), "postgres://app:p%40ss%20w%2Frd%25@db/prod");
        assert_eq!(expand("${URL}", lookup).unwrap().reveal(), "postgres://a:b@h/d");
        assert!(expand("${NOPE}", lookup).unwrap_err().contains("`NOPE`"));
        assert!(expand("x${URL", lookup).is_err());
        assert_eq!(format!("{expanded:?}"), "***");
    }

    #[test]
    fn redacted_urls_hold_no_credentials() {
        for url in [
            "postgres://app:s3cret@db:5432/prod?sslmode=require&password=s3cret",
            "mysql://app:s3cret@x/y@db:5432/prod",
            "s3cret",
        ] {
            assert!(!redact(url).contains("s3cret"), "{}", redact(url));
        }
        assert_eq!(redact("postgres://app:pw@db:5432/prod"), "postgres://db:5432/prod");
        assert_eq!(redact("sqlite:shop.db"), "sqlite:shop.db");
    }
}
