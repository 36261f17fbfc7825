//! What is published, and where: by place for commands that change it, by pipeline for those that
//! deliver it.

use std::sync::Arc;

use anyhow::Context as _;
use vodmill_model::{AssetDocument, Pipeline};
use vodmill_store::s3::ObjectSettings;
use vodmill_store::{Key, Location, Store, StoreError};

use super::pipeline;
use crate::config::Config;
use crate::config::apart::Role;
use crate::exit::Usage;
use crate::inbox::object_settings;

/// A place where assets are published.
pub struct Destination {
    pub place: Location,
    pub objects: ObjectSettings,
}

impl Destination {
    /// Those of all pipelines, each once; or the one that the caller names.
    pub fn all(config: &Config, named: Option<&str>) -> anyhow::Result<Vec<Destination>> {
        let mut all: Vec<Destination> = Vec::new();
        for (name, pipeline) in &config.catalogue.pipelines {
            let place = config.places(name, pipeline)?.destination;
            if all.iter().all(|other| other.place != place) {
                all.push(Destination { place, objects: object_settings(pipeline) });
            }
        }
        let Some(named) = named else { return Ok(all) };
        let place = config.given_place("--in", Role::Destination, named)?;
        let known = all.into_iter().find(|one| one.place == place);
        Ok(vec![known.unwrap_or(Destination { place, objects: ObjectSettings::default() })])
    }

    pub fn open(&self, config: &Config) -> Arc<dyn Store> {
        self.place.open(&config.settings.s3, &self.objects)
    }
}

/// The one place where this asset is published.
pub fn find(config: &Config, asset: &str, named: Option<&str>) -> anyhow::Result<Destination> {
    let key =
        Key::new(format!("{asset}/asset.json")).map_err(|error| Usage::because(error.into()))?;
    let (mut found, mut places) = (Vec::new(), Vec::new());
    for destination in Destination::all(config, named)? {
        places.push(destination.place.to_string());
        match destination.open(config).get(&key) {
            Ok(_) => found.push(destination),
            Err(StoreError::NotFound(_)) => {}
            Err(error) => return Err(error).context(format!("look for {asset}")),
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Usage::error(format!(
            "{asset} is not published in {}; `--in PLACE` says where else",
            places.join(", ")
        ))),
        (Some(_), false) => Err(Usage::error(format!(
            "{asset} is published in several places; say which one with `--in PLACE`"
        ))),
    }
}

/// A pipeline and its name.
pub type Named<'a> = (&'a str, &'a Pipeline);

/// The store that a pipeline publishes in.
pub fn store(config: &Config, (name, pipeline): Named<'_>) -> anyhow::Result<Arc<dyn Store>> {
    let destination = config.places(name, pipeline)?.destination;
    Ok(destination.open(&config.settings.s3, &ObjectSettings::default()))
}

/// The pipeline that the caller names, or the one that has published the asset.
///
/// # Errors
/// Where there is none, or more than one.
pub fn owner<'a>(
    config: &'a Config,
    named: Option<&'a str>,
    asset: &str,
) -> anyhow::Result<Named<'a>> {
    if named.is_some() {
        return pipeline(config, named);
    }
    let mut owners = Vec::new();
    for (name, pipeline) in &config.catalogue.pipelines {
        let named = (name.as_str(), pipeline);
        if description(&*store(config, named)?, asset)?.is_some() {
            owners.push(named);
        }
    }
    match owners[..] {
        [owner] => Ok(owner),
        [] => Err(Usage::error(format!("no pipeline has published {asset:?}"))),
        _ => {
            let names: Vec<&str> = owners.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            Err(Usage::error(format!("{asset:?} is in {names}: name one with --pipeline")))
        }
    }
}

/// What is said of a published asset; None if there is no such asset.
pub fn description(store: &dyn Store, asset: &str) -> anyhow::Result<Option<AssetDocument>> {
    let key = match Key::new(format!("{asset}/asset.json")) {
        Ok(key) => key,
        Err(error) => return Err(Usage::because(error.into())),
    };
    let bytes = match store.get(&key) {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("read {key}")),
    };
    AssetDocument::read(&bytes).map(Some).with_context(|| format!("read {key}"))
}

/// Every published asset of a pipeline, in the order of their names.
pub fn assets(config: &Config, named: Named<'_>) -> anyhow::Result<Vec<AssetDocument>> {
    let names = match config.places(named.0, named.1)?.destination {
        Location::Folder(folder) => vodmill_api::published(&folder),
        Location::Bucket { bucket, prefix: Some(prefix) } => {
            let root = Location::Bucket { bucket, prefix: None };
            let root = root.open(&config.settings.s3, &ObjectSettings::default());
            let entries = root.list(&prefix).with_context(|| format!("list {prefix}"))?;
            let name = |key: &str| {
                let inner = key.strip_prefix(prefix.as_str())?.strip_prefix('/')?;
                inner.strip_suffix("/asset.json").map(str::to_owned)
            };
            entries.iter().filter_map(|entry| name(entry.key.as_str())).collect()
        }
        Location::Bucket { .. } => {
            let message = "the destination is a whole bucket, which is not listed: name an asset";
            return Err(Usage::error(message));
        }
    };
    let store = store(config, named)?;
    let mut assets = Vec::new();
    for name in names {
        // What went away since it was listed is not there.
        assets.extend(description(&*store, &name)?);
    }
    Ok(assets)
}
