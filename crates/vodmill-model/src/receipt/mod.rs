//! `receipt.json`: what a package claims, in a form that can be proved from its files alone.
//!
//! A field that is added, removed or changed makes a new version, and so does a new kind of output: a
//! receipt with something in it that nobody here can prove is refused.

mod head;
mod output;
mod version1;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::head::{ListedObject, ReceiptHead};
pub use self::output::{
    FileFact, HlsFact, Holds, OutputFact, PlaylistFact, RungQuality, StillsFact,
};
use crate::asset::{ReceiptReference, SoundLoudness};
use crate::generation::GenerationName;
use crate::plan::Build;
use crate::units::{Frames, Ratio, Ticks};

/// Version of the form that is written.
pub const VERSION: u32 = 2;

/// Name of the receipt in a generation.
pub const RECEIPT: &str = "receipt.json";

/// What a package claims. `receipt.json` is the one object that it does not list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "receipt.json")]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Version of this form.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// What made the bytes.
    pub build: Build,
    /// SHA-256 of the plan, 64 hex digits.
    pub plan: String,
    /// SHA-256 of the original.
    pub original: String,
    /// The asset.
    pub asset: String,
    /// The generation.
    pub generation: GenerationName,
    /// Length of the programme, in ticks of 1/90,000 s.
    pub duration: Ticks,
    /// Frames of every rung; none for sound alone.
    pub frames: Option<Frames>,
    /// Frames per second of every rung.
    pub frame_rate: Option<Ratio>,
    /// Every object with its size and digest, in the order of their names.
    pub objects: Vec<ObjectFact>,
    /// What the objects are, by kind.
    pub outputs: Vec<OutputFact>,
    /// What was done to the loudness of sounds, where a preset asks for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loudness: Vec<SoundLoudness>,
    /// SHA-256 of the asset's description, but for its reference to this receipt and the facts of its
    /// publication.
    pub description: String,
}

/// One object of a generation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectFact {
    /// Its name in the generation.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, 64 hex digits.
    pub sha256: String,
}

/// A `receipt.json` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It is not of the form that its version has.
    #[error("it is not a receipt: {0}")]
    Form(#[from] serde_json::Error),
    /// A newer vodmill has written it.
    #[error("it is of version {0}, which a newer vodmill writes; this one knows up to {VERSION}")]
    Newer(u64),
}

/// As much of a receipt as says how to read the rest.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Receipt {
    /// Reads a receipt of any version that is known.
    ///
    /// # Errors
    /// [`ReceiptError`], also for fields that its version does not have.
    pub fn read(json: &[u8]) -> Result<Receipt, ReceiptError> {
        match serde_json::from_slice::<Versioned>(json)?.version {
            version if version > u64::from(VERSION) => Err(ReceiptError::Newer(version)),
            2 => Ok(serde_json::from_slice(json)?),
            _ => Ok(serde_json::from_slice::<version1::Receipt>(json)?.into()),
        }
    }

    /// The HLS part, if there is one.
    pub fn hls(&self) -> Option<&HlsFact> {
        self.outputs.iter().find_map(|output| match output {
            OutputFact::Hls(hls) => Some(hls),
            OutputFact::File(_) | OutputFact::Stills(_) => None,
        })
    }

    /// The HLS part, to be changed.
    pub fn hls_mut(&mut self) -> Option<&mut HlsFact> {
        self.outputs.iter_mut().find_map(|output| match output {
            OutputFact::Hls(hls) => Some(hls),
            OutputFact::File(_) | OutputFact::Stills(_) => None,
        })
    }

    /// Whether every HLS media segment is encrypted, and all other media private.
    pub fn is_encrypted(&self) -> bool {
        self.hls().is_some_and(|hls| hls.encrypted)
    }

    /// How a description refers to this receipt, whose file has that SHA-256.
    pub fn reference(&self, sha256: &str) -> ReceiptReference {
        ReceiptReference {
            path: format!("{}/{RECEIPT}", self.generation),
            sha256: sha256.to_owned(),
        }
    }
}
