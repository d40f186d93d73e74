//! Settings that people change while the job runs: they hold from the next batch on.

use std::time::{Duration, Instant};

use super::{Error, Run};
use crate::event::Event;
use crate::journal::Tuned;
use crate::plan::Pace;
use crate::plan::tuning::Setting;

/// How often it is looked whether somebody has changed a setting.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often a server that is away is asked again what it bears. The setting holds meanwhile.
const ASK_EVERY: Duration = Duration::from_secs(5);

impl Run {
    /// The present pace.
    pub(super) fn pace(&self) -> Pace {
        self.pace.borrow().clone()
    }

    /// Takes over what people change, for ever. What they changed of an earlier run holds from the
    /// beginning.
    pub(super) async fn watch_settings(&self) -> Result<(), Error> {
        let (mut version, mut known) = (None, Vec::new());
        // For which duration of a batch the server was asked what it bears, and when last in vain.
        let (mut fits, mut asked) = (self.pace().target_time, None::<Instant>);
        loop {
            // Before the settings: what comes between the two looks is found by the next.
            let found = Some(self.journal.version()?);
            if version != found {
                version = found;
                let tuned = self.journal.tuned(&self.plan.spec.job.name)?;
                if tuned != known {
                    self.retune(&tuned, &known);
                    known = tuned;
                }
            }
            let wanted = self.pace().target_time;
            if wanted != fits && asked.is_none_or(|asked| ASK_EVERY < asked.elapsed()) {
                asked = if self.fit(wanted).await? { None } else { Some(Instant::now()) };
                fits = if asked.is_none() { wanted } else { fits };
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Asks what keeps batches of that duration from harming others. Says whether the server answered.
    async fn fit(&self, target_time: Duration) -> Result<bool, Error> {
        let asked = async {
            let mut session = self.open("planner").await?.session;
            let patience = self.target.patience(session.as_mut(), target_time).await?;
            session.close().await;
            Ok(patience)
        };
        match asked.await {
            Ok(patience) => {
                self.pace.send_modify(|pace| pace.patience = patience);
                Ok(true)
            }
            Err(error) if Error::passing(&error).is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn retune(&self, tuned: &[Tuned], known: &[Tuned]) {
        let (present, mut pace) = (self.pace(), self.plan.pace.clone());
        let mut refused = Vec::new();
        for change in tuned {
            let Some(value) = &change.value else { continue };
            let taken = Setting::find(&change.name).and_then(|found| found.set(value, &mut pace));
            refused.extend(taken.err().map(|reason| (change, reason)));
        }
        pace.patience = present.patience;
        if pace.rows_per_second != present.rows_per_second {
            self.timetable.clear();
        }
        self.board.retune(&pace.watches);
        self.pace.send_replace(pace.clone());
        for change in tuned.iter().filter(|change| !known.contains(change)) {
            let reason = refused.iter().find(|(of, _)| *of == change).map(|(_, why)| why);
            self.tell_tuned(change, reason, &present, &pace);
        }
    }

    fn tell_tuned(&self, change: &Tuned, refused: Option<&String>, old: &Pace, new: &Pace) {
        let Tuned { name, by, reason, .. } = change.clone();
        let show =
            |pace| Setting::find(&name).map(|setting| setting.show(pace)).unwrap_or_default();
        self.tell(match refused {
            Some(why) => Event::TuneRefused { setting: name, message: why.clone(), by },
            None => Event::Tuned { old: show(old), new: show(new), setting: name, by, reason },
        });
    }
}
