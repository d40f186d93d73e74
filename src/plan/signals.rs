//! What the job steps aside for, and what that is at this moment.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Pace, Plan, Refusal};
use crate::catalog::{Table, TableName};
use crate::spec::JobSpec;
use crate::target::Target;
use crate::throttle::{self, ALL, Now, Opening, Origin, Present, Replica, Scene, Signal, Watched};

/// A value counts for so many times the time between two looks, where the spec does not say.
const STALE_AFTER_LOOKS: u32 = 10;

/// A first look may take so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Before a window closes no batch is begun any more that might not end in time: twice what a batch
/// should take, and at least this.
const LEAST_MARGIN: Duration = Duration::from_secs(1);

/// What stands around a spec and is not in it.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Where Backstop's tables stand, if the team has settled that.
    pub fence_schema: Option<String>,
    /// The folder of the spec, where relative paths begin.
    pub folder: PathBuf,
    /// The file with the freeze periods, if the team has one.
    pub freeze_file: Option<PathBuf>,
    /// The replicas that the spec names.
    pub replicas: Vec<Replica>,
}

/// How old a value may be.
pub(super) fn stale_after(spec: &JobSpec) -> Duration {
    let every = spec.throttle.look_every.map_or(Duration::from_secs(1), |every| every.0);
    spec.throttle.stale_after.map_or(every * STALE_AFTER_LOOKS, |time| time.0)
}

impl Plan {
    /// All that the sampler has to know.
    #[must_use]
    pub fn scene(&self, target: Arc<dyn Target>, target_time: Duration) -> Scene {
        let window = self.pace.window.clone();
        scene(&self.spec, &self.table, &self.around, target, window, target_time)
    }
}

fn scene(
    spec: &JobSpec,
    table: &Table,
    around: &Around,
    target: Arc<dyn Target>,
    window: Option<Opening>,
    target_time: Duration,
) -> Scene {
    let name =
        TableName { schema: Some(table.schema.clone()), name: table.name.clone(), quoted: true };
    let mut scene = Scene::new(target, name, spec.throttle.clone());
    scene.window = window.map(|opening| -> Present<Opening> { Arc::new(move || opening.clone()) });
    scene.folder.clone_from(&around.folder);
    scene.freeze_file.clone_from(&around.freeze_file);
    scene.replicas.clone_from(&around.replicas);
    scene.stale_after = stale_after(spec);
    scene.margin = (target_time * 2).max(LEAST_MARGIN);
    scene
}

/// Looks at everything that the job would watch. What the spec asks for and nobody can read is a
/// refusal: a job that waits for ever helps as little as one that does not look.
pub(super) async fn survey(
    spec: &JobSpec,
    table: &Table,
    around: &Around,
    target: &Arc<dyn Target>,
    pace: &Pace,
    refusals: &mut Vec<Refusal>,
) -> Vec<Watched> {
    let scene =
        scene(spec, table, around, Arc::clone(target), pace.window.clone(), pace.target_time);
    let mut found = Vec::new();
    for (signal, origin) in ALL.iter().filter_map(|signal| Some((*signal, origin(signal, &scene)?)))
    {
        found.push(throttle::look(signal, &scene, origin, PATIENCE).await);
    }
    scene.close().await;
    refusals.extend(found.iter().filter_map(refuse_unread));
    found
}

fn origin(signal: &Signal, scene: &Scene) -> Option<Origin> {
    match signal.is_wanted(scene) {
        Some(false) => None,
        Some(true) if signal.name == "freeze" => Some(Origin::Team),
        Some(true) => Some(Origin::Spec),
        None => signal.by_default.then_some(Origin::Default),
    }
}

fn refuse_unread(watched: &Watched) -> Option<Refusal> {
    if watched.origin == Origin::Default {
        return None;
    }
    let (name, why) = (watched.signal.name, watched.unread()?);
    let section = match name {
        "window" => "[limits]",
        "freeze" => "[throttle] of `backstop.toml`",
        _ => "[throttle]",
    };
    let what = match watched.now {
        Now::NotHere(_) => format!("`{name}` cannot be watched here: {why}"),
        _ => format!("`{name}` cannot be read: {why}"),
    };
    Some(Refusal::new(
        what,
        "the job is to step aside for it, and would wait for ever",
        format!("mend what it is read from, or take `{name}` out of {section}"),
    ))
}
