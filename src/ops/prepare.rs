//! From a spec's file to a plan and open sessions.

use std::path::Path;
use std::sync::Arc;

use super::Error;
use crate::plan::{self, Plan};
use crate::spec::{JobSpec, Secret, expand, parse};
use crate::target::{self, Link, Session, Target};

/// A plan, and the sessions that it was made with.
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// The target.
    pub target: Arc<dyn Target>,
    /// The session that will cancel statements and hold the job's lock.
    pub control: Box<dyn Session>,
}

/// Reads the spec at `path`.
///
/// # Errors
///
/// The file cannot be read, or is no spec.
pub fn load_spec(path: &Path) -> Result<JobSpec, Error> {
    let shown = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|source| Error::SpecFile { path: shown.clone(), source })?;
    let text = String::from_utf8(bytes).map_err(|_| Error::SpecFile {
        path: shown.clone(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text"),
    })?;
    Ok(parse(&shown, &text)?)
}

/// Connects and makes the plan. Writes nothing.
///
/// # Errors
///
/// The target cannot be reached, or the job cannot run on it.
pub async fn prepare(spec: &JobSpec) -> Result<Prepared, Error> {
    let link = Link {
        url: resolve_url(spec)?,
        job: spec.job.name.clone(),
        time_zone: spec.target.time_zone.clone(),
        sql_mode: spec.target.sql_mode.clone(),
    };
    let target = target::connect(link).await.map_err(Error::Connect)?;
    let mut control = target.open("control").await.map_err(Error::Connect)?;
    let mut worker = target.open("planner").await.map_err(Error::Connect)?;
    let plan = plan::make(spec, &*target, control.as_mut(), worker.as_mut()).await;
    worker.close().await;
    Ok(Prepared { plan: plan?, target, control })
}

fn resolve_url(spec: &JobSpec) -> Result<Secret, Error> {
    let lookup = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (&spec.target.url_env, &spec.target.url) {
        (Some(name), _) => lookup(name).map(Secret::new).ok_or_else(|| {
            Error::Url(format!(
                "the environment variable `{name}` is not set, and `[target] url_env` names it as \
                 the place of the URL; set it, for example `export {name}='postgres://…'`"
            ))
        }),
        (None, Some(template)) => expand(template, lookup).map_err(Error::Url),
        // The spec's own check demands one of the two.
        (None, None) => Err(Error::Url("the spec names no URL".to_owned())),
    }
}
