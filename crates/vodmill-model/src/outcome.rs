//! The two ways in which work ends without a result, kept apart by type: the input's fault and
//! ours.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

/// The input's fault: terminal, never retried, the original kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Rejected {
    /// What kind of fault, for machines and for the table in the documentation.
    pub reason: Reason,
    /// What was found in this very file.
    pub detail: String,
    /// What the person who delivered it can do, in plain words.
    pub remedy: String,
}

impl Rejected {
    /// A refusal with the remedy that belongs to its reason.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Rejected {
        Rejected { reason, detail: detail.into(), remedy: reason.remedy().to_owned() }
    }
}

/// Our fault or the world's: retried with back-off, then quarantined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{stage}: {cause}")]
pub struct Failed {
    /// The operation and the object that it failed on.
    pub stage: String,
    /// What went wrong, outermost cause first.
    pub cause: String,
    /// Whether it went wrong because a disk is full: then waiting helps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disk_full: bool,
    /// What was being done, for those who look into it; opaque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

impl Failed {
    /// A failure of `stage` because of `cause`, with the whole chain of its sources.
    pub fn new(stage: impl Into<String>, cause: impl std::fmt::Display) -> Failed {
        Failed { stage: stage.into(), cause: cause.to_string(), disk_full: false, evidence: None }
    }

    /// A failure of `stage` because of `error`, with every source of it spelled out.
    pub fn from_error(
        stage: impl Into<String>,
        error: &(dyn std::error::Error + 'static),
    ) -> Failed {
        let mut cause = error.to_string();
        let mut disk_full = is_disk_full(error);
        let mut next = error.source();
        while let Some(source) = next {
            cause.push_str(": ");
            cause.push_str(&source.to_string());
            disk_full |= is_disk_full(source);
            next = source.source();
        }
        Failed { stage: stage.into(), cause, disk_full, evidence: None }
    }
}

fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

/// Why media work ended without a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum MediaError {
    /// The input's fault.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Ours.
    #[error(transparent)]
    Failed(#[from] Failed),
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $remedy:literal;)+) => {
        /// Reason codes of a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Reason { $($(#[$doc])* #[serde(rename = $code)] $name,)+ }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The code as it is written in files and logs.
            pub const fn code(self) -> &'static str {
                match self { $(Reason::$name => $code),+ }
            }

            /// What the person who delivered the file can do.
            pub const fn remedy(self) -> &'static str {
                match self { $(Reason::$name => $remedy),+ }
            }
        }
    };
}

reasons! {
    /// No bytes at all.
    Empty = "input_empty", "The file has no content. Export or copy it again.";
    /// Not a media container that vodmill opens.
    NotMedia = "input_not_media",
        "This is not a video or audio file. Check that the right file was delivered.";
    /// A playlist, script or other file that makes a player open further files.
    Disguised = "input_disguised",
        "This file points at other files instead of holding media. Deliver the media itself.";
    /// The container ends before its own index says.
    Incomplete = "input_incomplete",
        "The file was cut off, most often by a copy that broke. Deliver it again, whole.";
    /// More damage in the media than the pipeline tolerates.
    Damaged = "media_damaged",
        "Parts of the media cannot be decoded. Export it again from the source, or set `damage = \"repair\"` in the pipeline to publish it with gaps concealed.";
    /// Nothing in it that can be decoded.
    NothingDecodable = "nothing_decodable",
        "No track of this file can be decoded here. Export it as H.264, HEVC or ProRes with AAC or PCM sound.";
    /// Dolby Vision without a base layer that other screens show.
    DolbyVisionOnly = "dolby_vision_only",
        "Its pictures are Dolby Vision that only Dolby Vision screens show in the right colours. Export it as HDR10, HLG or SDR, or as Dolby Vision of profile 8.";
    /// An image file.
    Photograph = "still_photograph",
        "This is a photograph, not a film. Deliver a film; or set `stills = \"publish\"` under `[input]` in the pipeline to publish it as a film of one picture.";
    /// More tracks, table entries or channels than any real file has.
    BeyondLimits = "beyond_limits",
        "The file claims more tracks, samples or channels than a real one has. Export it again with the tracks that are to be published.";
    /// The media is encrypted.
    Encrypted = "input_encrypted", "The file is protected (DRM). Deliver it without encryption.";
    /// Larger pictures than the limit.
    TooManyPixels = "too_many_pixels",
        "The picture is larger than the limit. Deliver a smaller one, or raise `max_pixels` in the pipeline.";
    /// Longer than the limit.
    TooLong = "too_long",
        "The programme is longer than the limit. Split it, or raise `max_duration_seconds` in the pipeline.";
    /// A hole in the timestamps, larger than can be filled with a still picture.
    TimestampGap = "timestamp_gap",
        "The timestamps jump far ahead with nothing in between. Export the file again, or raise `max_gap_seconds` in the pipeline.";
    /// The tracks cannot be put together in time.
    ClocksDisagree = "clocks_disagree",
        "The timestamps of its tracks contradict each other, so that sound and picture cannot be put together. Export the file again from the source.";
    /// A pipeline asks for what this file does not have.
    NothingToDo = "nothing_to_do",
        "None of the pipeline's outputs can be made from this file. Use another pipeline.";
    /// A pipeline names sound that this file does not have.
    SoundNotAsMapped = "sound_not_as_mapped",
        "The file does not have the sound that `map` under `[input.audio]` of the pipeline names. Deliver one that has it, or use a pipeline without `map`.";
    /// Not something that vodmill published.
    NotAPackage = "not_a_package",
        "Give the folder of a published asset, the one that holds asset.json, or of one generation in it.";
    /// The file changed while it was worked on.
    Changed = "input_changed",
        "The file was replaced while it was being processed. The new one is a job of its own.";
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
