//! Packages: renditions muxed, encrypted and described, as a tree of files that is proved before
//! it may be published.
//!
//! Segments are made run by run, while later chunks are still being encoded, and are gone from here
//! when the rest is made ([`outputs`]). The pointer to the generation is returned as text.

mod describe;
mod losses;
mod outputs;
mod repairs;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use vodmill_fault::point;
use vodmill_keys::ClearKeys;
use vodmill_model::asset::SoundLoudness;
use vodmill_model::plan::AudioEncode;
use vodmill_model::quality::FrameScore;
use vodmill_model::receipt::{ObjectFact, OutputFact, RECEIPT, Receipt, VERSION};
use vodmill_model::transcode::{AudioDone, ProgressSink};
use vodmill_model::{AssetDocument, MediaError, Plan, Transcode};

use outputs::MadeOutput;
pub(crate) use outputs::hls::{SegmentsOrder, build_segments};
pub(crate) use outputs::{renditions_of_package, renditions_of_run, stills_of};
use tree::TreeWriter;

use crate::file::{make_private_dir, passed, remove_dir, sha256, write_durably};
use crate::generation::{self, PackageInput, SegmentsDone};
use crate::proof::{self, Proved};

/// Folder of the generation in a package's scratch.
pub(crate) const GENERATION: &str = "generation";

/// What a package is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PackageOrder {
    pub(crate) input: PackageInput,
    /// The original's name, for people.
    pub(crate) name: String,
    pub(crate) damage: Damage,
    /// What came of every sound, by the id of its encode.
    pub(crate) sounds: BTreeMap<String, AudioDone>,
    /// Scores of frames, by the id of the encode, as far as they were measured.
    #[serde(default)]
    pub(crate) measured: BTreeMap<String, Vec<FrameScore>>,
    /// The original, for its subtitles.
    pub(crate) original: PathBuf,
    /// The segments, run by run.
    pub(crate) segments: Vec<SegmentsDone>,
    /// Folder to make it in; emptied first.
    pub(crate) out: PathBuf,
}

/// What was concealed while encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damage {
    pub frames: u64,
    pub audio_packets: u64,
    /// Pictures that came out of the decoder; none where one chunk's were not counted.
    #[serde(default)]
    pub decoded_frames: Option<u64>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PackageDone {
    pub objects: u64,
    pub bytes: u64,
    /// The text of the multivariant playlist, where there is one.
    pub multivariant: Option<String>,
    /// `asset.json`, without what is known only when it is published.
    #[serde(deserialize_with = "document_or_text")]
    pub asset: AssetDocument,
    /// [Mark](ClearKeys::mark) of the keys that open it.
    #[serde(default)]
    pub keys: Option<String>,
}

/// Results of vodmill 0.1.0 have the document as a text.
fn document_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AssetDocument, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Document(Map<String, Value>),
    }
    let document = match Form::deserialize(deserializer)? {
        Form::Text(text) => AssetDocument::read(text.as_bytes()),
        Form::Document(fields) => AssetDocument::of_fields(fields),
    };
    document.map_err(D::Error::custom)
}

/// What the makers of single outputs work with.
pub(crate) struct PackageContext<'a> {
    pub order: &'a PackageOrder,
    pub input: &'a PackageInput,
    pub plan: &'a Plan,
    pub transcode: &'a dyn Transcode,
    pub tree: TreeWriter<'a>,
}

/// Makes a package and proves it.
pub(crate) fn build(
    order: &PackageOrder,
    transcode: &dyn Transcode,
    watch: &dyn ProgressSink,
) -> Result<PackageDone, MediaError> {
    remove_dir(&order.out)?;
    let root = order.out.join(GENERATION);
    make_private_dir(&root)?;
    let context = PackageContext {
        order,
        input: &order.input,
        plan: &order.input.plan,
        transcode,
        tree: TreeWriter::new(root.clone(), watch),
    };
    let made = outputs::make(&context)?;
    let mut receipt = receipt(&context, &made);
    let mut asset = AssetDocument::new(describe::asset(&context, &made, &receipt));
    receipt.description = asset.digest();
    passed(point!("package.written"))?;
    let keys = order.input.keys.as_ref().map(|keys| keys.ring().clone()).unwrap_or_default();
    let proved = Proved::new(&order.input, &order.segments)?;
    proof::prove(&root, &receipt, context.plan.proof, (&keys, &proved), transcode, watch)?;
    let json = generation::json(&receipt)?;
    write_durably(&root.join(RECEIPT), &json)?;
    passed(point!("package.proved"))?;
    asset.receipt = Some(receipt.reference(&sha256(&json)));
    Ok(PackageDone {
        objects: receipt.objects.len() as u64,
        bytes: receipt.objects.iter().map(|object| object.bytes).sum(),
        multivariant: made.into_iter().find_map(|output| output.pointer),
        asset,
        keys: order.input.keys.as_ref().map(ClearKeys::mark),
    })
}

/// A thread's result; its panic is this thread's.
fn joined<T>(result: std::thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Where an object is, seen from the asset.
fn path(context: &PackageContext<'_>, name: &str) -> String {
    format!("{}/{name}", context.input.generation)
}

fn receipt(context: &PackageContext<'_>, made: &[MadeOutput]) -> Receipt {
    let plan = context.plan;
    let video = plan.timeline.video.as_ref();
    Receipt {
        version: VERSION,
        build: plan.build.clone(),
        plan: plan.digest(),
        original: plan.original.sha256.clone(),
        asset: context.input.asset.clone(),
        generation: context.input.generation.clone(),
        duration: plan.timeline.duration,
        frames: video.map(|video| video.frames),
        frame_rate: video.map(|video| video.rate),
        objects: objects(context),
        outputs: facts(made),
        loudness: loudness(context),
        description: String::new(),
    }
}

/// What is claimed of every output; of an object that several lead to, once.
fn facts(made: &[MadeOutput]) -> Vec<OutputFact> {
    let mut facts: Vec<OutputFact> = Vec::new();
    for output in made {
        if !facts.contains(&output.fact) {
            facts.push(output.fact.clone());
        }
    }
    facts
}

/// What was done to the loudness of each sound, in the order of the plan.
fn loudness(context: &PackageContext<'_>) -> Vec<SoundLoudness> {
    let of = |encode: &AudioEncode| {
        let levels = context.order.sounds.get(&encode.id)?.loudness?;
        Some(SoundLoudness { encode: encode.id.clone(), track: encode.track, levels })
    };
    context.plan.audio.iter().filter_map(of).collect()
}

/// Every object, made here or with its run, in the order of their names.
fn objects(context: &PackageContext<'_>) -> Vec<ObjectFact> {
    let mut objects = context.tree.objects();
    objects.extend(context.order.segments.iter().flat_map(|run| run.objects.iter().cloned()));
    objects.sort();
    objects
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As vodmill 0.1.0 has described it.
    const FILM: &str =
        include_str!("../../../../tests/fixtures/home-0.1.0/published/film/asset.json");

    #[test]
    fn a_result_of_the_previous_build_is_published_as_it_was_made() {
        let old =
            serde_json::json!({ "objects": 9, "bytes": 1, "multivariant": null, "asset": FILM });
        let done: PackageDone = serde_json::from_value(old).expect("a result");
        let published = serde_json::to_value(&done.asset).expect("JSON");
        assert_eq!(published, serde_json::from_str::<Value>(FILM).expect("JSON"));
        let again = serde_json::to_string(&done).expect("JSON");
        assert_eq!(serde_json::from_str::<PackageDone>(&again).expect("a result"), done);
    }
}
