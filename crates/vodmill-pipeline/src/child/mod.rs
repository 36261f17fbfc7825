//! Media work in a process of its own: a crash, a hang or a memory bomb in libav costs one attempt
//! at one piece of work.
//!
//! The parent writes an [`Assignment`] as one line of JSON to the child's standard input and keeps
//! it open: when the parent dies, the child sees it end and leaves. The child answers with
//! events, a line each, on its standard output. Its standard error is libav's log.

mod bounds;
mod evidence;
mod run;
mod sandbox;
mod spawn;
mod usage;
mod watchdog;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vodmill_model::transcode::{
    AnalysisOrder, AudioOrder, DistortedMedia, MeasureOrder, ProbeOrder, Progress, VideoOrder,
};
use vodmill_model::{Failed, Rejected};

pub(crate) use bounds::Bounds;
pub use evidence::EVIDENCE_FOLDER;
pub use run::main;
use sandbox::Confinement;
pub(crate) use spawn::ChildRunner;

use crate::measure::PicturesOrder;
use crate::package::{PackageOrder, SegmentsOrder};
use crate::proof::CheckOrder;

/// Environment variable with a child's bound of address space in bytes.
const MEMORY: &str = "VODMILL_CHILD_MEMORY";

/// Environment variable with the size of the largest file that a child may write.
const FILE_SIZE: &str = "VODMILL_CHILD_FILE_SIZE";

/// Environment variable with how closely a child is confined.
const SANDBOX: &str = "VODMILL_CHILD_SANDBOX";

/// Environment variable with the folder that a child may write in, if it may at all.
const SCRATCH: &str = "VODMILL_CHILD_SCRATCH";

/// What a child is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// Say what an original is.
    Probe(ProbeOrder),
    /// Encode samples of an original as trials, and score them.
    Analyse(Box<AnalysisOrder>),
    /// Encode a chunk.
    Video(VideoOrder),
    /// Encode an audio track.
    Audio(AudioOrder),
    /// Mux, encrypt and prove the HLS segments of one run.
    Segments(Box<SegmentsOrder>),
    /// Put together, describe and prove a package.
    Package(Box<PackageOrder>),
    /// Prove a published package again.
    Check(Box<CheckOrder>),
    /// Score media against a reference.
    Measure(Box<MeasureOrder>),
    /// Take pictures out of media.
    Pictures(Box<PicturesOrder>),
}

impl Assignment {
    /// The original that it reads, if it reads one.
    fn original(&self) -> Option<&Path> {
        match self {
            Assignment::Probe(order) => Some(&order.original),
            Assignment::Analyse(order) => Some(&order.original),
            Assignment::Video(order) => Some(&order.original),
            Assignment::Audio(order) => Some(&order.original),
            Assignment::Package(order) => Some(&order.original),
            Assignment::Measure(order) => Some(&order.original),
            Assignment::Segments(_) | Assignment::Check(_) | Assignment::Pictures(_) => None,
        }
    }

    /// The files and folders that it reads, its scratch apart.
    fn files(&self) -> Vec<&Path> {
        let mut files = match self {
            Assignment::Probe(_)
            | Assignment::Analyse(_)
            | Assignment::Video(_)
            | Assignment::Audio(_) => Vec::new(),
            Assignment::Segments(order) => order.input.files(),
            Assignment::Package(order) => order.input.files(),
            Assignment::Check(order) => vec![order.package.as_path()],
            Assignment::Measure(order) => compared(order),
            Assignment::Pictures(order) => order.files(),
        };
        files.extend(self.original());
        files
    }
}

/// The files that are compared with the reference.
fn compared(order: &MeasureOrder) -> Vec<&Path> {
    let mut files: Vec<&Path> = Vec::new();
    for distorted in &order.distorted {
        match &distorted.media {
            DistortedMedia::Renditions(chunks) => files.extend(chunks.iter().map(PathBuf::as_path)),
            DistortedMedia::File { path, .. } => files.push(path),
        }
    }
    files
}

/// What a child has cost, as the kernel counts.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Milliseconds of processor time.
    pub cpu_ms: u64,
    /// Bytes of memory at its peak.
    pub peak_memory: u64,
}

/// What a child says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// It has come this far.
    Progress(Progress),
    /// What it gave up before it began.
    Confined(Confinement),
    /// What it has cost; said once, before it ends.
    Usage(Usage),
    /// It is done; the result is of the assignment's kind.
    Done(serde_json::Value),
    /// The input is at fault.
    Rejected(Rejected),
    /// We are.
    Failed(Failed),
}
