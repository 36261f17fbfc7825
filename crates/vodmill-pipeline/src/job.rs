//! A job: one original through one pipeline, once.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vodmill_model::catalogue::Catalogue;
use vodmill_model::outcome::Reason;
use vodmill_model::plan::digest_of;
use vodmill_model::{Failed, MediaError, Rejected};

use crate::file::{failed, hex};

/// What is wanted: an original, a pipeline, and where everything goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The original, an absolute path.
    pub original: PathBuf,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Folder that the package is published under.
    pub destination: PathBuf,
    /// What becomes of the original afterwards.
    pub disposal: Disposal,
}

/// What becomes of an original when its job has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposal {
    /// It stays where it is.
    Leave,
    /// It moves, after publication or refusal.
    Move {
        /// Folder for published originals.
        done: PathBuf,
        /// Folder for refused ones, each with its reason beside it.
        rejected: PathBuf,
    },
}

/// The payload of a job in the queue: everything that its tasks need to know, fixed when it is
/// submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobOrder {
    /// The original's path, in bytes: a name need not be UTF-8.
    #[serde(with = "path_bytes")]
    pub original: PathBuf,
    /// Its identity when it was submitted.
    pub version: FileVersion,
    /// Name of the pipeline.
    pub pipeline: String,
    /// Folder that the package is published under.
    pub destination: PathBuf,
    /// What becomes of the original.
    pub disposal: Disposal,
    /// The pipeline and its presets as they were then: a later edit makes another job.
    pub catalogue: Catalogue,
}

/// What tells one content of a path from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileVersion {
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified: i128,
}

impl FileVersion {
    pub(crate) fn of(path: &Path) -> Result<FileVersion, Failed> {
        let facts = fs::metadata(path).map_err(failed("look at", path))?;
        let modified = i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec());
        Ok(FileVersion { bytes: facts.len(), modified })
    }
}

impl JobOrder {
    pub(crate) fn new(submission: &Submission, catalogue: &Catalogue) -> Result<JobOrder, Failed> {
        Ok(JobOrder {
            version: FileVersion::of(&submission.original)?,
            original: submission.original.clone(),
            pipeline: submission.pipeline.clone(),
            destination: submission.destination.clone(),
            disposal: submission.disposal.clone(),
            catalogue: only(catalogue, &submission.pipeline),
        })
    }

    /// The job's id: the same for the same original, content, pipeline and destination.
    pub(crate) fn id(&self) -> String {
        let identity = (self.original.as_os_str().as_bytes(), &self.version, &self.destination);
        digest_of(&(identity, &self.catalogue))[..16].to_owned()
    }

    /// Whether a job's payload is about the same content of the same file.
    pub(crate) fn is_same_original(&self, payload: &str) -> bool {
        serde_json::from_str::<JobOrder>(payload)
            .is_ok_and(|job| job.original == self.original && job.version == self.version)
    }

    /// What people call the original.
    pub(crate) fn name(&self) -> String {
        self.original.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whose asset it is: the same for every version of one file in one pipeline.
    pub(crate) fn owner(&self) -> String {
        format!("{}:{}", self.pipeline, self.original.to_string_lossy())
    }

    /// Refuses to go on with a file that is not the one that was submitted.
    pub(crate) fn check_unchanged(&self) -> Result<(), MediaError> {
        let now = FileVersion::of(&self.original)?;
        if now == self.version {
            return Ok(());
        }
        let detail =
            format!("{} bytes when it was taken, {} bytes now", self.version.bytes, now.bytes);
        Err(Rejected::new(Reason::Changed, detail).into())
    }
}

/// The part of a catalogue that one pipeline uses.
fn only(catalogue: &Catalogue, pipeline: &str) -> Catalogue {
    let Some(wanted) = catalogue.pipeline(pipeline) else { return Catalogue::default() };
    let is_used = |name: &str| wanted.ladder == name || wanted.mp4.iter().any(|mp4| mp4 == name);
    let presets = catalogue.presets.iter().filter(|(name, _)| is_used(name));
    Catalogue {
        pipelines: [(pipeline.to_owned(), wanted.clone())].into(),
        presets: presets.map(|(name, preset)| (name.clone(), preset.clone())).collect(),
    }
}

/// The name that an asset would like: the file's, as far as it is safe in a path and a URL. A name
/// that had to be altered gets a mark of the original one, so that two never become the same.
pub(crate) fn asset_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    let text = stem.to_string_lossy();
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let slug: String = text.chars().map(safe).take(80).collect();
    let slug = slug.trim_matches(['-', '.']);
    if slug == text {
        return slug.to_owned();
    }
    let mark = &hex(&Sha256::digest(stem.as_bytes()))[..6];
    format!("{slug}-{mark}").trim_start_matches('-').to_owned()
}

/// A path as text where it is UTF-8, else as bytes.
mod path_bytes {
    use super::*;
    use serde::{Deserializer, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match path.to_str() {
            Some(text) => Form::Text(text.to_owned()),
            None => Form::Bytes(path.as_os_str().as_bytes().to_vec()),
        };
        form.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PathBuf, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => PathBuf::from(text),
            Form::Bytes(bytes) => PathBuf::from(OsString::from_vec(bytes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asset_names_are_safe_and_never_meet() {
        let name = |file: &str| asset_name(Path::new(file));
        assert_eq!(name("bbb_5s.mp4"), "bbb_5s");
        assert_eq!(name("Film.v2.mov"), "Film.v2");
        for hostile in
            ["a b+c%20d.mp4", "it's é 日本.mp4", "-dash.mp4", "..mp4", "日本.mp4", "%03d.mp4"]
        {
            let asset = name(hostile);
            let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(
                asset.chars().all(good) && !asset.starts_with(['-', '.']),
                "{hostile}: {asset}"
            );
        }
        assert_ne!(name("a b.mp4"), name("a+b.mp4"));
        assert_ne!(name("a b.mp4"), name("a-b.mp4"));
    }
}
