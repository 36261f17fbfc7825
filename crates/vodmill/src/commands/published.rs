//! Where a published asset is.

use std::sync::Arc;

use anyhow::Context as _;
use vodmill_store::s3::ObjectSettings;
use vodmill_store::{Key, Location, Store, StoreError};

use crate::config::Config;
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
        let place = Location::parse(named).map_err(|error| Usage::because(error.into()))?;
        let place = match place {
            Location::Folder(folder) => {
                Location::Folder(std::path::absolute(folder).context("find the folder")?)
            }
            bucket @ Location::Bucket { .. } => bucket,
        };
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
