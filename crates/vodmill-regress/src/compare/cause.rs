//! What was changed: settings, encoders, or vodmill itself.

use std::collections::{BTreeMap, BTreeSet};

use vodmill_model::plan::Build;

use super::{Level, PACKAGE};
use crate::baseline::Baseline;
use crate::settings::{Settings, changes};

/// Settings and encoders of two baselines.
pub(super) struct Changes<'a> {
    pub before: &'a Baseline,
    pub now: &'a Baseline,
    pub build: &'a [String],
}

impl Changes<'_> {
    /// What may be the cause of what was found, in sentences.
    pub(super) fn causes(&self, pipeline: &str, subject: &str, level: Level) -> Vec<String> {
        if !self.is_compared(pipeline) {
            return Vec::new();
        }
        let of_pipeline = named("pipeline", pipeline, &self.before.pipelines, &self.now.pipelines);
        let presets = match subject {
            PACKAGE if level == Level::Green => BTreeSet::new(),
            preset if level == Level::Green || self.is_changed(preset) => [preset].into(),
            // One preset of a pipeline can change what others make, as by its frame rate.
            _ => self.presets(pipeline),
        };
        let presets = presets.into_iter();
        let of_presets = presets
            .filter_map(|name| named("preset", name, &self.before.presets, &self.now.presets));
        let settings: Vec<String> = of_presets.chain(of_pipeline).collect();
        if level == Level::Green {
            return settings;
        }
        let encoders = || format!("other encoders: {}", self.build.join(", "));
        match (settings.is_empty(), self.build.is_empty()) {
            (false, true) => settings,
            (true, false) => vec![format!("the settings are the same; {}", encoders())],
            (false, false) => [settings, vec![encoders(), "two causes at once: compare again with one of them taken back to tell them apart".to_owned()]].concat(),
            (true, true) => vec!["neither settings nor encoders were changed: it is vodmill itself that works otherwise".to_owned()],
        }
    }
}

impl Changes<'_> {
    /// Whether a pipeline is neither new nor gone.
    fn is_compared(&self, pipeline: &str) -> bool {
        [self.before, self.now].iter().all(|it| it.results.contains_key(pipeline))
    }

    fn is_changed(&self, preset: &str) -> bool {
        named("preset", preset, &self.before.presets, &self.now.presets).is_some()
    }

    /// All presets of a pipeline.
    fn presets(&self, pipeline: &str) -> BTreeSet<&str> {
        let packages =
            [self.before, self.now].into_iter().filter_map(|it| it.results.get(pipeline));
        let streams =
            packages.flat_map(BTreeMap::values).flat_map(|package| package.streams.values());
        streams.map(|stream| stream.preset.as_str()).collect()
    }
}

type All = BTreeMap<String, Settings>;

fn named(kind: &str, name: &str, before: &All, now: &All) -> Option<String> {
    let (was, is) = (before.get(name)?, now.get(name)?);
    let changes = changes(was, is);
    (!changes.is_empty()).then(|| format!("{kind} {name} was changed: {}", changes.join("; ")))
}

/// What of two builds is not the same, each by its name.
pub(super) fn build_changes(before: &Build, now: &Build) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, was, is) in [
        ("vodmill", &before.vodmill, &now.vodmill),
        ("libav and its encoders", &before.libav, &now.libav),
    ] {
        if was != is {
            changes.push(format!("{name} {is}, was {was}"));
        }
    }
    let of = |build: &Build| Settings::from_iter(build.encoders.clone());
    changes.extend(super::super::settings::changes(&of(before), &of(now)));
    changes
}
