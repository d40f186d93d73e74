//! Where a session stands: asked of each one that is opened in the place of a lost one.

/// Where a session stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footing {
    /// Names the data: the same on a primary and on the standby that takes its place, another one
    /// everywhere else. `None` where the database has no such name.
    pub data: Option<String>,
    /// Names the copy of the data that is written: it changes when another server takes over, and not
    /// when the same one is restarted. `None` where there is only one.
    pub copy: Option<String>,
    /// Why it takes no writes, where it takes none.
    pub closed: Option<String>,
}
