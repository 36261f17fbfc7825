//! What can be read of an `asset.json` of any version, those of a newer build included.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::AssetError;
use crate::generation::GenerationName;

/// As much of an `asset.json` as every version says.
#[derive(Clone, Debug, Deserialize)]
pub struct AssetHead {
    /// The asset's name.
    #[serde(rename = "asset")]
    pub name: String,
    /// The generation that is published.
    pub generation: GenerationName,
    /// When it was published (RFC 3339).
    pub published_at: Option<String>,
    /// In version 1, HLS has a field of its own.
    hls: Option<IgnoredAny>,
    #[serde(default)]
    outputs: Vec<Kind>,
}

#[derive(Clone, Debug, Deserialize)]
struct Kind {
    kind: String,
}

impl AssetHead {
    /// Reads it.
    ///
    /// # Errors
    /// If it is no JSON, or does not say so much.
    pub fn read(json: &[u8]) -> Result<AssetHead, AssetError> {
        Ok(serde_json::from_slice(json)?)
    }

    /// Whether a multivariant playlist belongs to it.
    pub fn has_hls(&self) -> bool {
        self.hls.is_some() || self.outputs.iter().any(|output| output.kind == "hls")
    }
}
