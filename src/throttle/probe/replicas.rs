//! Lag as the replicas themselves tell it.

use async_trait::async_trait;

use super::{Desk, Line, Probe, Replica, Unread};
use crate::target::{Question, connect};

/// Asks each replica.
pub(in crate::throttle) struct Replicas {
    question: Question,
    replicas: Vec<(Replica, Option<Desk>)>,
}

impl Replicas {
    pub(in crate::throttle) fn new(replicas: &[Replica], question: Question) -> Self {
        let replicas = replicas.iter().map(|replica| (replica.clone(), None)).collect();
        Self { question, replicas }
    }
}

#[async_trait]
impl Probe for Replicas {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let mut asked = tokio::task::JoinSet::new();
        for (replica, desk) in &mut self.replicas {
            let (replica, question) = (replica.clone(), self.question.clone());
            let desk = desk.take();
            asked.spawn(async move {
                let (desk, answer) = ask(&replica, desk, &question).await;
                (replica, desk, answer)
            });
        }
        let mut lines = Vec::new();
        while let Some(done) = asked.join_next().await {
            let (replica, desk, answer) =
                done.map_err(|error| Unread::Failed(format!("internal: {error}")))?;
            lines.extend(lines_of(&replica.name, answer)?);
            if let Some((_, place)) =
                self.replicas.iter_mut().find(|(known, _)| known.name == replica.name)
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
