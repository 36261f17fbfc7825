//! All of the configuration, read and validated as a whole before anything else happens.

pub mod files;
pub mod problem;
mod schema;
pub mod settings;
pub mod toml_file;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use vodmill_model::{Catalogue, Pipeline, Preset};

use files::{Source, sources};
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
        config.check_inboxes(&pipelines, &mut problems);
        Problems::none_or(problems, config)
    }

    /// An original in an inbox of two pipelines would be taken by either.
    fn check_inboxes(&self, sources: &[Source], problems: &mut Vec<Problem>) {
        let mut owners: BTreeMap<PathBuf, &str> = BTreeMap::new();
        for (name, pipeline) in &self.catalogue.pipelines {
            let inbox = self.folders(name, pipeline).inbox;
            let Some(other) = owners.insert(inbox, name) else { continue };
            if let Some(source) = sources.iter().find(|source| source.name == *name) {
                let message = format!("`inbox` is that of pipeline {other} too");
                problems.push(Problem { file: source.file.clone(), line: None, message });
            }
        }
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

    /// The folders of a pipeline.
    pub fn folders(&self, name: &str, pipeline: &Pipeline) -> Folders {
        let or = |given: &str, otherwise: PathBuf| match given {
            "" => otherwise,
            given => self.home.join(given),
        };
        let inbox = or(&pipeline.inbox, self.home.join("inbox").join(name));
        Folders {
            done: or(&pipeline.done, inbox.join("done")),
            rejected: or(&pipeline.rejected, inbox.join("rejected")),
            destination: self.home.join(&pipeline.destination),
            inbox,
        }
    }
}

/// Where a pipeline's files come from and go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// Originals come in here.
    pub inbox: PathBuf,
    /// Published originals go here.
    pub done: PathBuf,
    /// Refused ones go here.
    pub rejected: PathBuf,
    /// Packages are published here.
    pub destination: PathBuf,
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
