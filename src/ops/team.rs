//! What the team has settled for all of its jobs, and what can kill a job from outside.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf, absolute};

use super::Error;
use super::prepare::read_text;
use super::state::here;
use crate::control::{Standing, look};
use crate::spec::{Config, JobSpec, Secret, parse_config};

/// The file that is looked for upward from the working directory.
const FILE: &str = "backstop.toml";

/// What [`write_config`] writes. A test reads it back.
const COMMENTED: &str = include_str!("backstop.toml");

/// The team's config.
#[derive(Debug, Clone, Default)]
pub struct Team {
    /// What it says; the defaults where there is no file.
    pub config: Config,
    /// The file, if there is one.
    pub file: Option<PathBuf>,
}

/// Reads the nearest `backstop.toml`, upward from the working directory. Without one every field
/// has its default.
///
/// # Errors
///
/// A file of that name is there and cannot be read, or is no config: a kill switch that it names
/// would be missing.
pub fn load_config() -> Result<Team, Error> {
    let Some(file) = find(&here())? else { return Ok(Team::default()) };
    let (shown, text) = read_text(&file)?;
    Ok(Team { config: parse_config(&shown, &text)?, file: Some(file) })
}

fn find(start: &Path) -> Result<Option<PathBuf>, Error> {
    for folder in start.ancestors() {
        let file = folder.join(FILE);
        match std::fs::symlink_metadata(&file) {
            Ok(_) => return Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => {
                return Err(Error::Unreadable { path: file.display().to_string(), source });
            }
        }
    }
    Ok(None)
}

/// What became of [`write_config`].
#[derive(Debug)]
pub struct Written {
    /// The file.
    pub file: PathBuf,
    /// The config that counted here until then, and does not any more.
    pub hides: Option<PathBuf>,
}

/// Writes a commented `backstop.toml` into the working directory.
///
/// # Errors
///
/// One is there already, or it cannot be written.
pub fn write_config() -> Result<Written, Error> {
    let folder = here();
    let file = folder.join(FILE);
    let fail = |source: std::io::Error| {
        let path = file.display().to_string();
        match source.kind() {
            ErrorKind::AlreadyExists => Error::ConfigExists { path },
            _ => Error::ConfigUnwritable { path, source },
        }
    };
    let hides = folder.parent().map_or(Ok(None), find)?;
    let mut new = std::fs::File::create_new(&file).map_err(fail)?;
    new.write_all(COMMENTED.as_bytes()).map_err(fail)?;
    Ok(Written { file, hides })
}

impl Team {
    /// A path that the config names, as a whole path: a relative one begins at its folder.
    #[must_use]
    pub fn beside(&self, path: &str) -> PathBuf {
        beside(self.file.as_deref().unwrap_or(Path::new(FILE)), path)
    }

    /// The kill files of a job: its own and the team's, as whole paths.
    #[must_use]
    pub fn kill_files(&self, spec: &JobSpec, spec_path: &Path) -> Vec<PathBuf> {
        let own = spec.control.kill_file.as_deref().map(|path| beside(spec_path, path));
        let file = self.file.as_deref().unwrap_or(Path::new(FILE));
        let all = self.config.control.kill_file.as_deref().map(|path| beside(file, path));
        own.into_iter().chain(all).collect()
    }

    /// The team's kill file, as a whole path.
    #[must_use]
    pub fn kill_file(&self) -> Option<PathBuf> {
        self.config.control.kill_file.as_deref().map(|path| self.beside(path))
    }

    /// The token of `POST /kill`, where there is somebody to show it to.
    ///
    /// # Errors
    ///
    /// The variable that the config names holds none.
    pub fn token_for(&self, listens: bool) -> Result<Option<Secret>, Error> {
        if listens { self.token() } else { Ok(None) }
    }

    /// The token of `POST /kill`, if the config names a variable for it.
    fn token(&self) -> Result<Option<Secret>, Error> {
        let Some(variable) = &self.config.control.token_env else { return Ok(None) };
        let refused = |reason| Error::Token { variable: variable.clone(), reason };
        let value = std::env::var_os(variable).ok_or_else(|| refused("is not set"))?;
        // What is not UTF-8 becomes a character that is refused below.
        let value = value.to_string_lossy();
        // A secret that was read from a file often ends in a line break.
        let token = value.trim();
        if token.is_empty() {
            return Err(refused("is empty"));
        }
        if !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(refused("holds a character that no HTTP header can carry"));
        }
        Ok(Some(Secret::new(token.to_owned())))
    }
}

/// `path`, where a relative one begins at the folder of `file`.
fn beside(file: &Path, path: &str) -> PathBuf {
    let joined = file.parent().unwrap_or(Path::new("")).join(path);
    // It fails only where there is no working directory; the path is then as good as it gets.
    absolute(&joined).unwrap_or(joined)
}

/// What can kill a job from outside, beside OS signals and commands.
#[derive(Debug, Clone)]
pub struct Switches {
    /// The config that some of them come from.
    pub team: Team,
    /// The kill files.
    pub files: Vec<PathBuf>,
    /// The token of `POST /kill`.
    pub token: Option<Secret>,
}

/// Finds a job's kill switches, and refuses the job if one of them is thrown. `listens` says whether
/// there will be a `POST /kill`; only then its token is asked for.
///
/// # Errors
///
/// [`Error::KillFile`]: a kill file is there. [`Error::Token`]: the config names a variable that
/// holds no token.
pub fn arm(team: Team, spec: &JobSpec, spec_path: &Path, listens: bool) -> Result<Switches, Error> {
    let files = team.kill_files(spec, spec_path);
    let token = if listens { team.token()? } else { None };
    match files.iter().find_map(|path| look(path)) {
        Some(Standing { path, reason }) => Err(Error::KillFile {
            job: spec.job.name.clone(),
            path: path.display().to_string(),
            reason: reason.map_or_else(String::new, |reason| format!(" ({reason})")),
        }),
        None => Ok(Switches { team, files, token }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_config_is_the_default_and_names_every_field() {
        assert_eq!(parse_config("it", COMMENTED).unwrap(), Config::default());
        // With the comments of the fields taken away it is still one, and every field is set.
        let is_field = |line: &str| {
            let name = line.trim_start_matches("# ").split(" = ").next().unwrap_or_default();
            let letters = |c: char| c.is_ascii_lowercase() || c == '_';
            line.starts_with("# ") && line.contains(" = ") && name.chars().all(letters)
        };
        let lines = COMMENTED.lines().map(|line| match line.strip_prefix("# ") {
            Some(field) if is_field(line) => field,
            _ => line,
        });
        let config = parse_config("it", &lines.collect::<Vec<_>>().join("\n")).unwrap();
        let set = serde_json::to_value(&config).unwrap();
        let schema = crate::spec::config_schema();
        for (section, field) in schema["properties"].as_object().unwrap() {
            let path = field["$ref"].as_str().unwrap().trim_start_matches('#');
            for name in schema.pointer(path).unwrap()["properties"].as_object().unwrap().keys() {
                assert!(!set[section][name].is_null(), "[{section}] {name} is not shown");
            }
        }
    }

    #[test]
    fn relative_kill_files_begin_at_the_file_that_names_them() {
        let spec = "[job]\nname = \"a\"\n[target]\nurl_env = \"U\"\n[update]\ntable = \"t\"\n\
                    set = { a = \"1\" }\n[control]\nkill_file = \"STOP\"";
        let spec = crate::spec::parse("it", spec).unwrap();
        let config = parse_config("it", "[control]\nkill_file = \"kill/ALL\"").unwrap();
        let team = Team { config, file: Some("/team/backstop.toml".into()) };
        let files = team.kill_files(&spec, Path::new("/jobs/a.toml"));
        assert_eq!(files, [Path::new("/jobs/STOP"), Path::new("/team/kill/ALL")]);
        let files = team.kill_files(&spec, Path::new("a.toml"));
        assert_eq!(files[0], std::env::current_dir().unwrap().join("STOP"));
    }
}
