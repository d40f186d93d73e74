//! From a spec's file to a plan and open sessions.

use std::path::Path;
use std::sync::Arc;

use super::{Error, Team};
use crate::plan::{self, Around, Plan};
use crate::spec::{JobSpec, Secret, expand, parse};
use crate::target::{self, Link, Session, Target};
use crate::throttle::Replica;

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
    let (shown, text) = read_text(path)?;
    Ok(parse(&shown, &text)?)
}

/// A file's name for messages, and its text.
pub(super) fn read_text(path: &Path) -> Result<(String, String), Error> {
    let shown = path.display().to_string();
    let unreadable = |source| Error::Unreadable { path: shown.clone(), source };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        unreadable(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text"))
    })?;
    Ok((shown, text))
}

/// Connects and makes the plan, with Backstop's tables where the team wants them. Relative paths of the
/// spec begin at the folder of `spec_path`. Writes nothing.
///
/// # Errors
///
/// The target cannot be reached, or the job cannot run on it.
pub async fn prepare(spec: &JobSpec, spec_path: &Path, team: &Team) -> Result<Prepared, Error> {
    prepare_on(connect(spec).await?, spec, spec_path, team).await
}

/// Connects to the spec's target.
///
/// # Errors
///
/// The URL cannot be resolved, or the target cannot be reached.
pub async fn connect(spec: &JobSpec) -> Result<Arc<dyn Target>, Error> {
    let link = Link {
        url: resolve_url(spec)?,
        job: spec.job.name.clone(),
        time_zone: spec.target.time_zone.clone(),
        sql_mode: spec.target.sql_mode.clone(),
    };
    target::connect(link).await.map_err(Error::Connect)
}

/// Makes the plan on a target that was reached, for embedders that stand between the runner and
/// its database. Writes nothing.
///
/// # Errors
///
/// The job cannot run on the target.
pub async fn prepare_on(
    target: Arc<dyn Target>,
    spec: &JobSpec,
    spec_path: &Path,
    team: &Team,
) -> Result<Prepared, Error> {
    let around = around(spec, spec_path, team)?;
    let mut control = target.open("control").await.map_err(Error::Connect)?;
    let mut worker = target.open("planner").await.map_err(Error::Connect)?;
    let plan = plan::make(spec, &target, control.as_mut(), worker.as_mut(), &around).await;
    worker.close().await;
    Ok(Prepared { plan: plan?, target, control })
}

/// What stands around the spec: where its paths begin, the team's settings, and the replicas whose URLs
/// are in the environment.
fn around(spec: &JobSpec, spec_path: &Path, team: &Team) -> Result<Around, Error> {
    let named = spec.throttle.replica_lag.iter().flat_map(|lag| &lag.replicas);
    let replicas = named.map(|name| {
        let url = std::env::var(name).ok().filter(|url| !url.is_empty()).ok_or_else(|| {
            Error::Url(format!(
                "the environment variable `{name}` is not set, and `replicas` of [throttle] \
                 replica_lag names it as the place of a replica's URL; set it, for example \
                 `export {name}='postgres://…'`"
            ))
        })?;
        let job = spec.job.name.clone();
        let link = Link { url: Secret::new(url), job, time_zone: None, sql_mode: None };
        Ok(Replica { name: name.clone(), link })
    });
    let folder = spec_path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    Ok(Around {
        fence_schema: team.config.fence.schema.clone(),
        folder: std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
        freeze_file: team.config.throttle.freeze_file.as_deref().map(|path| team.beside(path)),
        replicas: replicas.collect::<Result<_, Error>>()?,
    })
}

/// Connects to the target whose URL the environment variable holds, on behalf of no job.
///
/// # Errors
///
/// The variable is not set, or the target cannot be reached.
pub async fn connect_to(url_env: &str) -> Result<Arc<dyn Target>, Error> {
    let url = std::env::var(url_env).ok().filter(|url| !url.is_empty()).ok_or_else(|| {
        Error::Url(format!(
            "the environment variable `{url_env}` is not set, and `--target` names it as the place \
             of the URL; set it, for example `export {url_env}='postgres://…'`"
        ))
    })?;
    let job = "any".to_owned();
    let link = Link { url: Secret::new(url), job, time_zone: None, sql_mode: None };
    target::connect(link).await.map_err(Error::Connect)
}

pub(super) fn resolve_url(spec: &JobSpec) -> Result<Secret, Error> {
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
