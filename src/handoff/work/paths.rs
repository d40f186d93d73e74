//! The files of one handoff: all have one beginning, so that one pattern finds them.

use std::path::PathBuf;

/// Where the files of a handoff stand. The beginning is short: a socket's name has at most 107 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    beginning: String,
}

impl Paths {
    /// Those that begin so, as in [`crate::handoff::Plan::files`].
    #[must_use]
    pub fn new(beginning: &str) -> Self {
        Self { beginning: beginning.to_owned() }
    }

    fn of(&self, end: &str) -> PathBuf {
        PathBuf::from(format!("{}.{end}", self.beginning))
    }

    /// What the tool says on stdout.
    #[must_use]
    pub fn out(&self) -> PathBuf {
        self.of("out")
    }

    /// What it says on stderr.
    #[must_use]
    pub fn err(&self) -> PathBuf {
        self.of("err")
    }

    /// The socket by which gh-ost is talked to.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.of("sock")
    }

    /// While it is there, nothing is cut over.
    #[must_use]
    pub fn postpone(&self) -> PathBuf {
        self.of("postpone")
    }

    /// Once it is there, gh-ost ends at once.
    #[must_use]
    pub fn panic(&self) -> PathBuf {
        self.of("panic")
    }

    /// While it is there, the tool waits.
    #[must_use]
    pub fn pause(&self) -> PathBuf {
        self.of("pause")
    }

    /// Touched by the supervisor while it lives.
    #[must_use]
    pub fn beat(&self) -> PathBuf {
        self.of("beat")
    }

    /// A plugin that is loaded into the tool.
    #[must_use]
    pub fn plugin(&self) -> PathBuf {
        self.of("plugin.pm")
    }

    /// What the plugin says, a line of JSON each.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.of("events")
    }

    /// Settings of a plugin that were changed while it runs.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.of("settings")
    }

    /// Its process's number, as the tool writes it.
    #[must_use]
    pub fn pid(&self) -> PathBuf {
        self.of("pid")
    }

    /// Every file but what the tool said: what is removed when a handoff is cleaned up.
    #[must_use]
    pub fn transient(&self) -> Vec<PathBuf> {
        vec![
            self.socket(),
            self.postpone(),
            self.panic(),
            self.pause(),
            self.beat(),
            self.plugin(),
            self.events(),
            self.settings(),
            self.pid(),
        ]
    }
}
