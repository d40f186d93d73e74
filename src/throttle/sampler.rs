//! The polling: once, for all signals.

use std::convert::Infallible;
use std::time::Duration;

use tokio::task::JoinSet;

use super::probe::Unread;
use super::{Board, Scene, Signal};

/// How often it is looked whether a value has become too old.
const WEIGH_EVERY: Duration = Duration::from_millis(100);

/// Looks at every signal of the board, each in its own time, for ever. Cancel it by dropping.
pub async fn sample(board: &Board, scene: &Scene, signals: Vec<&'static Signal>) -> Infallible {
    let mut looks = JoinSet::new();
    let every = scene.throttle.look_every.map_or(Duration::from_secs(1), |every| every.0);
    for signal in signals {
        let (board, scene) = (board.clone(), scene.clone());
        looks.spawn(async move { poll(signal, &board, &scene, every).await });
    }
    // The tasks live as long as this waits: dropping the set ends them.
    loop {
        tokio::time::sleep(WEIGH_EVERY).await;
        board.weigh();
    }
}

async fn poll(signal: &'static Signal, board: &Board, scene: &Scene, every: Duration) {
    let mut probe = (signal.probe)(scene);
    let mut ticks = tokio::time::interval(every / signal.haste);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let read = match tokio::time::timeout(board.deadline(), probe.look()).await {
            Ok(Ok(lines)) => Ok(lines),
            Ok(Err(Unread::NotHere(why) | Unread::Failed(why))) => Err(why),
            Err(_) => Err("no answer".to_owned()),
        };
        board.take(signal.name, read);
    }
}
