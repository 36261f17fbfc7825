//! Files beside HLS: MP4, WebM, MP3.

use serde::{Deserialize, Serialize};

use crate::preset::FileContainer;
use crate::role::Role;

/// One file, whole: to download, or to play before the download ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePlan {
    /// The preset's name.
    pub name: String,
    /// Its format.
    pub container: FileContainer,
    /// Object name, as `mp4/phone.mp4`; below `private/` when the HLS part is encrypted. Files that hold the
    /// same have one object.
    pub object: String,
    /// Id of its video encode, if any.
    pub video: Option<String>,
    /// Its audio tracks; the first is the default.
    pub audio: Vec<FileAudioPlan>,
}

/// One audio track of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAudioPlan {
    /// Id of its audio encode.
    pub audio: String,
    /// ISO 639-2 code, if known.
    pub language: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
}
