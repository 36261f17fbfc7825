//! All pipelines and presets of an installation, looked up by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::Pipeline;
use crate::preset::{Ladder, Mp4Preset, Preset};

/// All pipelines and presets, by the names of their files without `.toml`. They are validated
/// together, because pipelines name presets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Files in `pipelines/`.
    pub pipelines: BTreeMap<String, Pipeline>,
    /// Files in `presets/`.
    pub presets: BTreeMap<String, Preset>,
}

impl Catalogue {
    /// The pipeline of that name.
    pub fn pipeline(&self, name: &str) -> Option<&Pipeline> {
        self.pipelines.get(name)
    }

    /// The ladder preset of that name; none if there is no such preset or it is an MP4's.
    pub fn ladder(&self, name: &str) -> Option<&Ladder> {
        ladder(&self.presets, name)
    }

    /// The MP4 preset of that name; none if there is no such preset or it is a ladder.
    pub fn mp4(&self, name: &str) -> Option<&Mp4Preset> {
        mp4(&self.presets, name)
    }
}

/// The ladder of that name among `presets`.
pub(crate) fn ladder<'a>(presets: &'a BTreeMap<String, Preset>, name: &str) -> Option<&'a Ladder> {
    match presets.get(name)? {
        Preset::Ladder(ladder) => Some(ladder),
        Preset::Mp4(_) => None,
    }
}

/// The MP4 preset of that name among `presets`.
pub(crate) fn mp4<'a>(presets: &'a BTreeMap<String, Preset>, name: &str) -> Option<&'a Mp4Preset> {
    match presets.get(name)? {
        Preset::Mp4(mp4) => Some(mp4),
        Preset::Ladder(_) => None,
    }
}
