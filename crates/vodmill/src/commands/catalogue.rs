//! `vodmill presets` and `vodmill pipelines`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vodmill_model::{AssetDocument, Measurement, Pipeline, Preset, Receipt};
use vodmill_regress::Baseline;
use vodmill_store::Location;

use crate::cli::{CatalogueAction, Document};
use crate::config::Config;
use crate::config::files::{self, BuiltIn, read_source, sources};
use crate::config::problem::{Problem, Problems};
use crate::exit::Usage;
use crate::output::{print, print_exact, print_json, table};

/// Prints the JSON Schema of one kind of file.
pub fn schema<T: JsonSchema>() -> anyhow::Result<ExitCode> {
    print_json(&schemars::schema_for!(T))?;
    Ok(ExitCode::SUCCESS)
}

/// `vodmill schema`.
pub fn schema_of(document: Document) -> anyhow::Result<ExitCode> {
    match document {
        Document::Asset => print_json(&AssetDocument::schema())?,
        Document::Baseline => print_json(&schemars::schema_for!(Baseline))?,
        Document::Measurement => print_json(&schemars::schema_for!(Measurement))?,
        Document::Receipt => print_json(&schemars::schema_for!(Receipt))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// `vodmill presets`.
pub fn presets(config: &Config, action: Option<CatalogueAction>) -> anyhow::Result<ExitCode> {
    let rows = config.catalogue.presets.iter().map(|(name, preset)| {
        let (kind, description) = match preset {
            Preset::Ladder(ladder) => ("ladder", &ladder.description),
            Preset::Mp4(file) | Preset::File(file) => (file.container.as_str(), &file.description),
        };
        vec![name.clone(), kind.to_owned(), description.clone()]
    });
    let kind = Kind { folder: "presets", built_in: files::PRESETS, rows: rows.collect() };
    kind.run::<Preset>(config, action)
}

/// `vodmill pipelines`.
pub fn pipelines(config: &Config, action: Option<CatalogueAction>) -> anyhow::Result<ExitCode> {
    let rows = config.catalogue.pipelines.iter().map(|(name, pipeline)| {
        let inbox = match config.places(name, pipeline).map(|places| places.inbox) {
            Ok(Location::Folder(folder)) => {
                folder.strip_prefix(&config.home).unwrap_or(&folder).display().to_string()
            }
            Ok(bucket) => bucket.to_string(),
            // What is no place was refused when the configuration was read.
            Err(_) => pipeline.inbox.clone(),
        };
        vec![name.clone(), inbox, pipeline.description.clone()]
    });
    let kind = Kind { folder: "pipelines", built_in: files::PIPELINES, rows: rows.collect() };
    kind.run::<Pipeline>(config, action)
}

/// One kind of configuration file.
struct Kind {
    folder: &'static str,
    built_in: &'static [BuiltIn],
    rows: Vec<Vec<String>>,
}

impl Kind {
    fn run<T: DeserializeOwned + JsonSchema + Serialize>(
        &self,
        config: &Config,
        action: Option<CatalogueAction>,
    ) -> anyhow::Result<ExitCode> {
        match action.unwrap_or(CatalogueAction::List) {
            CatalogueAction::List => print(&table(&self.rows))?,
            CatalogueAction::Show { name } => self.show(config, &name)?,
            CatalogueAction::Validate { files } => validate::<T>(&files)?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Prints the file as it is, comments and all: a start for one's own.
    fn show(&self, config: &Config, name: &str) -> anyhow::Result<()> {
        let sources = sources(&config.home, self.folder, self.built_in, &mut Vec::new());
        let own = sources.iter().find(|source| source.name == name).map(|source| &*source.text);
        // A home with files of its own has lost sight of the built-in ones, which make a good start.
        let built_in =
            self.built_in.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
        match own.or(built_in) {
            Some(text) => Ok(print_exact(text)?),
            None => Err(Usage::error(format!("no {name} in {}", self.folder))),
        }
    }
}

/// The configuration as a whole was found valid before; what is left is to look at given files.
fn validate<T: DeserializeOwned + JsonSchema>(files: &[PathBuf]) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    for file in files {
        match read_source(Path::new(""), file.clone()) {
            Ok(source) => drop(source.parse::<T>(&mut problems)),
            Err((file, error)) => {
                problems.push(Problem { file, line: None, message: error.to_string() });
            }
        }
    }
    Problems::none_or(problems, ())?;
    Ok(print("valid")?)
}
