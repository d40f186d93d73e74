//! MySQL or MariaDB, and which version: they share a protocol and part ways in the catalog.

/// The product and version behind a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flavor {
    /// Whether it is MariaDB.
    pub mariadb: bool,
    /// Major, minor, patch.
    pub version: (u16, u16, u16),
    /// The version as the server says it, such as `10.11.14-MariaDB-log`.
    pub text: String,
}

impl Flavor {
    /// Reads what `SELECT VERSION()` returns.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .map(|digits| digits.parse().unwrap_or_default());
        let mut next = || numbers.next().unwrap_or_default();
        Self {
            mariadb: text.to_ascii_lowercase().contains("mariadb"),
            version: (next(), next(), next()),
            text: text.to_owned(),
        }
    }

    /// The product's name.
    #[must_use]
    pub const fn product(&self) -> &'static str {
        if self.mariadb { "MariaDB" } else { "MySQL" }
    }

    /// Whether it is a MySQL of at least this version.
    #[must_use]
    pub fn is_mysql_since(&self, version: (u16, u16, u16)) -> bool {
        !self.mariadb && version <= self.version
    }

    /// Whether it is a MariaDB of at least this version.
    #[must_use]
    pub fn is_mariadb_since(&self, version: (u16, u16, u16)) -> bool {
        self.mariadb && version <= self.version
    }

    /// Why this version cannot be a target, if it cannot.
    #[must_use]
    pub fn too_old(&self) -> Option<String> {
        let oldest = if self.mariadb { (10, 3, 0) } else { (5, 7, 0) };
        (self.version < oldest).then(|| {
            format!(
                "{} `{}` is older than {}.{}, the oldest that Backstop knows",
                self.product(),
                self.text,
                oldest.0,
                oldest.1
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_follows_the_numbers() {
        let cases = [
            ("10.11.14-MariaDB-0+deb12u2-log", true, (10, 11, 14)),
            ("9.7.4-2", false, (9, 7, 4)),
            ("8.0.36-28.1", false, (8, 0, 36)),
            ("8.0.mysql_aurora.3.04.0", false, (8, 0, 0)),
            ("nonsense", false, (0, 0, 0)),
        ];
        for (text, mariadb, version) in cases {
            let flavor = Flavor::parse(text);
            assert_eq!((flavor.mariadb, flavor.version), (mariadb, version), "{text}");
        }
    }

    #[test]
    fn each_product_has_its_own_oldest_version() {
        assert!(Flavor::parse("5.7.44").too_old().is_none());
        assert!(Flavor::parse("10.2.44-MariaDB").too_old().is_some());
        assert!(Flavor::parse("5.6.51").too_old().is_some_and(|why| why.contains("`5.6.51`")));
    }
}
