//! What was made of a run of segments, as it is recorded until the package is put together.

use serde::{Deserialize, Serialize};
use vodmill_model::receipt::{ObjectFact, PlaylistFact};
use vodmill_model::units::Ticks;

/// Everything that was made for one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentsDone {
    /// Number of the run.
    pub(crate) run: u32,
    /// Its objects, in the order of their names.
    pub(crate) objects: Vec<ObjectFact>,
    /// Its part of every playlist of pictures or sound, in the order of the plan.
    pub(crate) streams: Vec<RunFact>,
    /// [Mark](vodmill_keys::ClearKeys::mark) of the keys that they are encrypted with.
    #[serde(default)]
    pub(crate) keys: Option<String>,
}

/// A run's part of one playlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunFact {
    pub playlist: PlaylistFact,
    /// SHA-256 of the init segment, or of the codec configuration where there is none: the same in
    /// all runs.
    pub config: String,
    /// The init segment, in the run that has it.
    pub init: Option<InitFact>,
    pub entries: Vec<EntryFact>,
}

/// An init segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InitFact {
    /// Its object, beside the playlist.
    pub file: String,
    /// Its length, from the beginning of that object.
    pub bytes: u64,
}

/// A segment, or a picture of an I-frame playlist; proved when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntryFact {
    /// Its object, beside the playlist.
    pub file: String,
    /// Where it begins in that object.
    pub offset: u64,
    /// Its length there.
    pub bytes: u64,
    /// Which piece of that object it is: one (key, IV) pair serves one piece.
    pub piece: u64,
    /// Its key period; none when it is clear.
    pub period: Option<u32>,
    /// Its start from zero.
    pub start: Ticks,
    /// Its duration.
    pub duration: Ticks,
}
