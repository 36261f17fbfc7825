//! All of the configuration, read and validated as a whole before anything else happens.

pub mod aws;
pub mod delivery;
pub mod files;
pub mod keys;
pub mod problem;
mod schema;
pub mod settings;
pub mod toml_file;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use vodmill_model::{Catalogue, Pipeline, Preset};
use vodmill_store::{Location, StoreError};

use files::{Source, sources};
use keys::ViewerKind;
use problem::{Problem, Problems};
use settings::Settings;

/// A valid configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder that relative paths start from.
    pub home: PathBuf,
    /// `vodmill.toml`.
    pub settings: Settings,
    /// `pipelines/` and `presets/`.
    pub catalogue: Catalogue,
}

impl Config {
    /// Reads everything below `home`; makes nothing.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn load(home: &Path) -> Result<Config, Problems> {
        let mut problems = Vec::new();
        let home = absolute(home, &mut problems);
        let settings = settings(&home, &mut problems);
        let mut catalogue = Catalogue::default();
        let presets = sources(&home, "presets", files::PRESETS, &mut problems);
        let pipelines = sources(&home, "pipelines", files::PIPELINES, &mut problems);
        for source in &presets {
            if let Some(preset) = source.parse::<Preset>(&mut problems) {
                catalogue.presets.insert(source.name.clone(), preset);
            }
        }
        for source in &pipelines {
            if let Some(pipeline) = source.parse::<Pipeline>(&mut problems) {
                catalogue.pipelines.insert(source.name.clone(), pipeline);
            }
        }
        files::validate(&catalogue, &presets, &pipelines, &mut problems);
        let config = Config { home, settings, catalogue };
        config.check_places(&pipelines, &mut problems);
        config.check_sharing(&mut problems);
        config.settings.delivery.check(&mut problems);
        config.check_keys(&mut problems);
        Problems::none_or(problems, config)
    }

    /// An original in an inbox of two pipelines would be taken by either.
    fn check_places(&self, sources: &[Source], problems: &mut Vec<Problem>) {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        for (name, pipeline) in &self.catalogue.pipelines {
            let Some(source) = sources.iter().find(|source| source.name == *name) else { continue };
            let mut report = |message: String| {
                problems.push(Problem { file: source.file.clone(), line: None, message });
            };
            match self.places(name, pipeline) {
                Ok(places) => {
                    if let Some(other) = owners.insert(places.inbox.to_string(), name) {
                        report(format!("`inbox` is that of pipeline {other} too"));
                    }
                    places.faults(pipeline).into_iter().for_each(report);
                }
                Err(error) => report(error.to_string()),
            }
        }
    }

    /// A queue for many needs a place for what they make.
    fn check_sharing(&self, problems: &mut Vec<Problem>) {
        let mut report = |message: String| {
            problems.push(Problem { file: "vodmill.toml".into(), line: None, message });
        };
        if self.queue().is_some() && self.settings.work.is_none() {
            report("`queue` is set, but not `work`: workers have no place to share".to_owned());
        }
        let work = self.settings.work.as_deref().map(Location::parse);
        if let Some(Err(error)) = work {
            report(format!("`work`: {error}"));
        }
    }

    fn check_keys(&self, problems: &mut Vec<Problem>) {
        let Settings { keys, key_server, delivery, .. } = &self.settings;
        let mut faults = [keys.faults(), key_server.faults()].concat();
        if key_server.viewers != ViewerKind::Anyone && delivery.token != key_server.query {
            faults.push(
                "delivery.token and key_server.query are not the same: playlists for viewers would \
                 lead to keys without their token"
                    .to_owned(),
            );
        }
        for message in faults {
            problems.push(Problem { file: "vodmill.toml".into(), line: None, message });
        }
    }

    /// URL of the database that workers share.
    pub fn queue(&self) -> Option<String> {
        let given = std::env::var("VODMILL_QUEUE").ok().filter(|url| !url.is_empty());
        given.or_else(|| self.settings.queue.clone())
    }

    /// The folder of everything that is not configuration, input or output.
    pub fn state(&self) -> PathBuf {
        self.home.join(&self.settings.state)
    }

    /// The folder of the key store.
    pub fn keys(&self) -> PathBuf {
        self.state().join("keys")
    }

    /// The pipeline of that name, or the only one, or `default`.
    pub fn pipeline<'a>(&'a self, name: Option<&'a str>) -> Option<(&'a str, &'a Pipeline)> {
        let pipelines = &self.catalogue.pipelines;
        let name = match name {
            Some(name) => name,
            None if pipelines.len() == 1 => pipelines.keys().next()?,
            None => "default",
        };
        pipelines.get(name).map(|pipeline| (name, pipeline))
    }

    /// The places of a pipeline.
    ///
    /// # Errors
    /// Names one that is no place.
    pub fn places(&self, name: &str, pipeline: &Pipeline) -> Result<Places, StoreError> {
        let or = |given: &str, otherwise: Location| match given {
            "" => Ok(otherwise),
            given => self.place(given),
        };
        let inbox = or(&pipeline.inbox, Location::Folder(self.home.join("inbox").join(name)))?;
        Ok(Places {
            done: or(&pipeline.done, inbox.join("done")?)?,
            rejected: or(&pipeline.rejected, inbox.join("rejected")?)?,
            destination: self.place(&pipeline.destination)?,
            inbox,
        })
    }

    /// A place as it is written: a folder counts from the home.
    pub fn place(&self, text: &str) -> Result<Location, StoreError> {
        Ok(match Location::parse(text)? {
            Location::Folder(folder) => Location::Folder(self.home.join(folder)),
            bucket @ Location::Bucket { .. } => bucket,
        })
    }
}

/// Where a pipeline's files come from and go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Originals come in here.
    pub inbox: Location,
    /// Published originals go here.
    pub done: Location,
    /// Refused ones go here.
    pub rejected: Location,
    /// Packages are published here.
    pub destination: Location,
}

impl Places {
    /// What does not go together.
    fn faults(&self, pipeline: &Pipeline) -> Vec<String> {
        let is_bucket = |place: &Location| matches!(place, Location::Bucket { .. });
        let mut faults = Vec::new();
        for (name, place) in [("done", &self.done), ("rejected", &self.rejected)] {
            if is_bucket(place) != is_bucket(&self.inbox) {
                faults.push(format!(
                    "`{name}` and `inbox` must both be folders, or both be in buckets"
                ));
            }
        }
        for (name, value) in [("events", &pipeline.events), ("done_class", &pipeline.done_class)] {
            if !value.is_empty() && !is_bucket(&self.inbox) {
                faults.push(format!("`{name}` is set, but `inbox` is not in a bucket"));
            }
        }
        faults
    }
}

/// The home as a path that stays right when a child works elsewhere.
fn absolute(home: &Path, problems: &mut Vec<Problem>) -> PathBuf {
    let problem = |message: String| Problem { file: home.to_path_buf(), line: None, message };
    match std::path::absolute(home) {
        Ok(path) if path.is_dir() => path,
        Ok(path) => {
            problems.push(problem("the home folder is not there".to_owned()));
            path
        }
        Err(error) => {
            problems.push(problem(error.to_string()));
            home.to_path_buf()
        }
    }
}

fn settings(home: &Path, problems: &mut Vec<Problem>) -> Settings {
    let file = Path::new("vodmill.toml");
    match std::fs::read_to_string(home.join(file)) {
        Ok(text) => {
            let source = Source { name: String::new(), file: file.to_path_buf(), text };
            source.parse(problems).unwrap_or_default()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Settings::default(),
        Err(error) => {
            let message = error.to_string();
            problems.push(Problem { file: file.to_path_buf(), line: None, message });
            Settings::default()
        }
    }
}
