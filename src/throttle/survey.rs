//! What a job would watch, and what it would see now: for the plan.

use std::time::Duration;

use super::probe::Unread;
use super::{Band, Line, Scene, Side, Signal};

/// Who wants a signal to be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The spec names it.
    Spec,
    /// Nobody had to: it harms none.
    Default,
    /// The team's config.
    Team,
}

/// What a first look brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Now {
    /// These values; none at all where nothing has one yet.
    Read(Vec<Line>),
    /// There is no such thing here; a sentence.
    NotHere(String),
    /// It cannot be read, with the reason.
    Unread(String),
}

/// A signal of a job.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The signal.
    pub signal: &'static Signal,
    /// Its limits.
    pub band: Band,
    /// Who wants it.
    pub origin: Origin,
    /// What was seen when the plan was made.
    pub now: Now,
}

/// Looks at a signal for the first time, for at most `patience`.
pub async fn look(
    signal: &'static Signal,
    scene: &Scene,
    origin: Origin,
    patience: Duration,
) -> Watched {
    let mut probe = (signal.probe)(scene);
    let now = match tokio::time::timeout(patience, probe.look()).await {
        Ok(Ok(lines)) => Now::Read(lines),
        Ok(Err(Unread::NotHere(why))) => Now::NotHere(why),
        Ok(Err(Unread::Failed(why))) => Now::Unread(why),
        Err(_) => Now::Unread(format!("no answer within {} s", patience.as_secs())),
    };
    let band = signal.band(scene, &now);
    Watched { signal, band, origin, now }
}

impl Watched {
    /// Whether the job looks at it.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.origin != Origin::Default
            || matches!(self.now, Now::Read(_)) && self.unread().is_none()
    }

    /// Why it cannot be read, if it cannot.
    #[must_use]
    pub fn unread(&self) -> Option<String> {
        match &self.now {
            Now::Read(lines) => lines.iter().find_map(|line| {
                let why = line.value.as_ref().err()?;
                Some(line.of.as_ref().map_or_else(|| why.clone(), |of| format!("{of}: {why}")))
            }),
            Now::NotHere(why) | Now::Unread(why) => Some(why.clone()),
        }
    }

    /// Why it is not watched although it would be by default, where that can be mended: a right is
    /// missing, or what it is read from fails. `None` also where there is no such thing.
    #[must_use]
    pub fn left_out(&self) -> Option<String> {
        let is_there = !matches!(self.now, Now::NotHere(_));
        self.unread().filter(|_| is_there && !self.is_watched())
    }

    /// The worst value of the first look, where there is one.
    #[must_use]
    pub fn worst(&self) -> Option<(&Line, f64)> {
        let Now::Read(lines) = &self.now else { return None };
        let values = lines.iter().filter_map(|line| Some((line, *line.value.as_ref().ok()?)));
        values.max_by(|a, b| self.band.utilization(a.1).total_cmp(&self.band.utilization(b.1)))
    }

    /// For people, in a line: the signal, its limits, and what it is now.
    #[must_use]
    pub fn line(&self) -> String {
        let (unit, band) = (self.signal.unit, self.band);
        let (sign, back) = match band.side {
            Side::Above => (">", "or less"),
            Side::Below => ("<", "or more"),
        };
        let limits = if self.signal.is_flag() {
            String::new()
        } else if unit.show(band.pause) == unit.show(band.resume) {
            format!(" {sign} {}", unit.show(band.pause))
        } else {
            let (pause, resume) = (unit.show(band.pause), unit.show(band.resume));
            format!(" {sign} {pause}, goes on at {resume} {back}")
        };
        let now = match (self.worst(), self.unread()) {
            (_, Some(why)) if self.is_watched() => format!("cannot be read now: {why}"),
            (_, Some(why)) => format!("not watched: {why}"),
            (Some((line, value)), None) => {
                let parts = [line.of.as_deref(), line.note.as_deref()];
                let parts: Vec<_> = parts.into_iter().flatten().collect();
                let value = unit.show(value);
                if parts.is_empty() {
                    format!("now {value}")
                } else {
                    format!("now {value} ({})", parts.join(": "))
                }
            }
            (None, None) => self.signal.nothing.to_owned(),
        };
        let default = if self.origin == Origin::Default { " (by default)" } else { "" };
        format!("{}{limits}{default}; {now}", self.signal.name)
    }
}
