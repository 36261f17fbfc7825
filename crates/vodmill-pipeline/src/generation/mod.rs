//! A generation that is being made: what it is made from, names of its objects, what is known of its
//! segments and streams. Package, proof and publication build on it; it knows none of them.

mod codecs;
mod facts;
mod input;

use serde::Serialize;
use vodmill_model::Failed;

pub(crate) use codecs::{codec_of, facts_of, range_of};
pub(crate) use facts::{EntryFact, InitFact, RunFact, SegmentsDone};
pub(crate) use input::PackageInput;

/// Name of the multivariant playlist of an asset.
pub(crate) const MULTIVARIANT: &str = "index.m3u8";
/// Name of the description of an asset.
pub(crate) const ASSET: &str = "asset.json";

/// A document as it is published, for people to read too.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, Failed> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|e| Failed::from_error("describe", &e))?;
    bytes.push(b'\n');
    Ok(bytes)
}
