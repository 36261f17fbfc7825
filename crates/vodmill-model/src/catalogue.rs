//! All pipelines and presets of an installation, looked up by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::Pipeline;
use crate::preset::{FilePreset, Ladder, Preset};

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

    /// The ladder preset of that name; none if there is no such preset or it is of another kind.
    pub fn ladder(&self, name: &str) -> Option<&Ladder> {
        ladder(&self.presets, name)
    }

    /// The preset of that name for a file; none if there is no such preset or it is a ladder.
    pub fn file(&self, name: &str) -> Option<&FilePreset> {
        self.presets.get(name)?.file()
    }
}

/// The ladder of that name among `presets`.
pub(crate) fn ladder<'a>(presets: &'a BTreeMap<String, Preset>, name: &str) -> Option<&'a Ladder> {
    match presets.get(name)? {
        Preset::Ladder(ladder) => Some(ladder),
        Preset::Mp4(_) | Preset::File(_) => None,
    }
}
