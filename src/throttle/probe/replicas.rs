//! Lag as the replicas themselves tell it.

use std::time::Duration;

use async_trait::async_trait;

use super::{Desk, Line, Probe, Replica, Unread};
use crate::target::{Question, connect};

/// A replica has so long for its answer, or half of what a value may be old, whichever is shorter:
/// one that hangs is then named, and the others are told as they are.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks each replica.
pub(in crate::throttle) struct Replicas {
    question: Question,
    asked: Vec<(Replica, Option<Desk>)>,
    patience: Duration,
}

impl Replicas {
    /// `deadline` is how old a value may be.
    pub(in crate::throttle) fn new(
        replicas: &[Replica],
        question: Question,
        deadline: Duration,
    ) -> Self {
        let asked = replicas.iter().map(|replica| (replica.clone(), None)).collect();
        Self { question, asked, patience: PATIENCE.min(deadline / 2) }
    }
}

#[async_trait]
impl Probe for Replicas {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let mut asked = tokio::task::JoinSet::new();
        for (replica, desk) in &mut self.asked {
            let (replica, question) = (replica.clone(), self.question.clone());
            let (desk, patience) = (desk.take(), self.patience);
            asked.spawn(async move {
                let asked = tokio::time::timeout(patience, ask(&replica, desk, &question)).await;
                // What hangs is dropped with its session.
                let silent = || (None, Err(Unread::Failed("no answer".to_owned())));
                let (desk, answer) = asked.unwrap_or_else(|_| silent());
                (replica, desk, answer)
            });
        }
        let mut lines = Vec::new();
        while let Some(done) = asked.join_next().await {
            let (replica, desk, answer) =
                done.map_err(|error| Unread::Failed(format!("internal: {error}")))?;
            lines.extend(lines_of(&replica.name, answer)?);
            if let Some((_, place)) =
                self.asked.iter_mut().find(|(known, _)| known.name == replica.name)
            {
                *place = desk;
            }
        }
        lines.sort_by(|a, b| a.of.cmp(&b.of));
        Ok(lines)
    }
}

type Answered = (Option<Desk>, Result<Vec<Line>, Unread>);

async fn ask(replica: &Replica, desk: Option<Desk>, question: &Question) -> Answered {
    let desk = match desk {
        Some(desk) => desk,
        None => match connect(replica.link.clone()).await {
            Ok(target) => Desk::new(target),
            Err(error) => return (None, Err(Unread::Failed(error.to_string()))),
        },
    };
    let answer = desk.ask(question).await;
    (Some(desk), answer)
}

/// A replica that fails is one line of several: the others go on being read.
fn lines_of(name: &str, answer: Result<Vec<Line>, Unread>) -> Result<Vec<Line>, Unread> {
    let name = format!("replica {name}");
    let failed = |why: String| vec![Line { of: Some(name.clone()), value: Err(why), note: None }];
    match answer {
        Err(Unread::Failed(why)) => Ok(failed(why)),
        Err(unread @ Unread::NotHere(_)) => Err(unread),
        Ok(lines) if lines.is_empty() => Ok(failed("it is no replica".to_owned())),
        Ok(lines) => {
            let named = lines.into_iter().map(|line| Line {
                of: Some(match line.of {
                    Some(part) => format!("{name}, {part}"),
                    None => name.clone(),
                }),
                ..line
            });
            Ok(named.collect())
        }
    }
}
