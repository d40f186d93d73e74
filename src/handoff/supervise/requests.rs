//! What people ask of the supervisor of a handoff, through the journal.

use super::{Error, Supervision};
use crate::control::{Ask, Level, Source};
use crate::event::{Event, HandoffEvent};
use crate::handoff::work::Carried;
use crate::journal::{HandoffAnswer, HandoffRequest};

/// What can be asked of a handoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Wait.
    Pause,
    /// Go on.
    Resume,
    /// Another value for a setting: `name=value`.
    Tune,
    /// Put the new table in the place of the old.
    CutOver,
    /// End it where it leaves the least behind.
    Stop,
    /// End it at once, for good.
    Kill,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 6] =
        [Self::Pause, Self::Resume, Self::Tune, Self::CutOver, Self::Stop, Self::Kill];

    /// The name used in the journal and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Tune => "tune",
            Self::CutOver => "cut-over",
            Self::Stop => "stop",
            Self::Kill => "kill",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

impl Supervision {
    /// Carries out what was asked since. What takes its time (a cut-over, an end) is answered later.
    pub(super) async fn requests(&mut self) -> Result<(), Error> {
        while let Some(request) = self.journal.next_handoff_request(&self.charge.name, self.seen)? {
            self.seen = request.id;
            let Some(verb) = Verb::from_name(&request.verb) else {
                let text = format!("this supervisor knows no `{}`", request.verb);
                self.answer(&request, &HandoffAnswer { carried: false, text })?;
                continue;
            };
            let carried = match verb {
                Verb::Pause => self.charge.work.pause().await,
                Verb::Resume => self.charge.work.resume().await,
                Verb::Tune => self.tune(&request).await,
                Verb::CutOver => {
                    self.want_cut_over(request)?;
                    continue;
                }
                Verb::Stop | Verb::Kill => {
                    let level = if verb == Verb::Kill { Level::Kill } else { Level::Drain };
                    let (by, reason) = (request.by.clone(), request.reason.clone());
                    self.stop.ask(Ask { level, source: Source::Cli, by, reason });
                    self.endings.push(request);
                    continue;
                }
            };
            // Who reads the status next finds what came of it.
            let look = self.charge.work.look().await;
            self.see(look.progress);
            self.beaten = None;
            self.beat()?;
            self.answer(&request, &answer_of(carried))?;
        }
        Ok(())
    }

    async fn tune(&mut self, request: &HandoffRequest) -> Carried {
        let argument = request.argument.as_deref().unwrap_or_default();
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        self.charge.work.tune(name, value).await
    }

    /// Answers, and says so on the stream of events.
    pub(super) fn answer(
        &self,
        request: &HandoffRequest,
        answer: &HandoffAnswer,
    ) -> Result<(), Error> {
        let record = self.bus.emit(Event::Handoff(HandoffEvent::Answered {
            verb: request.verb.clone(),
            by: request.by.clone(),
            carried: answer.carried,
            answer: answer.text.clone(),
        }));
        Ok(self.journal.answer_handoff(request.id, answer, &record)?)
    }
}

fn answer_of(carried: Carried) -> HandoffAnswer {
    match carried {
        Ok(text) => HandoffAnswer { carried: true, text },
        Err(refused) => HandoffAnswer { carried: false, text: refused.to_string() },
    }
}
