//! An original that is a file.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use vodmill_fault::point;
use vodmill_model::outcome::Reason;
use vodmill_model::{Failed, MediaError, Rejected};

use crate::file::{failed, make_dir, measure, passed, sync_and_finish, write_durably};

/// A file and its state when it was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOriginal {
    /// Its absolute path.
    #[serde(with = "path_bytes")]
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its modification time in nanoseconds since 1970.
    pub modified: i128,
}

impl FileOriginal {
    /// The file as it is now.
    ///
    /// # Errors
    /// If it cannot be looked at.
    pub fn at(path: impl Into<PathBuf>) -> Result<FileOriginal, Failed> {
        let path = path.into();
        let facts = fs::metadata(&path).map_err(failed("look at", &path))?;
        let modified = i128::from(facts.mtime()) * 1_000_000_000 + i128::from(facts.mtime_nsec());
        Ok(FileOriginal { bytes: facts.len(), modified, path })
    }

    pub(super) fn identity(&self) -> (Vec<u8>, String) {
        let version = format!("{} {}", self.bytes, self.modified);
        (self.path.as_os_str().as_bytes().to_vec(), version)
    }

    pub(super) fn check_unchanged(&self) -> Result<(), MediaError> {
        let now = FileOriginal::at(&self.path)?;
        if now == *self {
            return Ok(());
        }
        let detail = format!("{} bytes when it was taken, {} bytes now", self.bytes, now.bytes);
        Err(Rejected::new(Reason::Changed, detail).into())
    }

    /// Moves the file to a name that is free in `folder`: an older original of the same name may be
    /// there. The note goes first, so that no crash leaves a refused file without its reason.
    pub(super) fn move_to(&self, folder: &str, note: Option<&str>) -> Result<(), Failed> {
        if FileOriginal::at(&self.path).ok().as_ref() != Some(self) {
            return Ok(());
        }
        let folder = Path::new(folder);
        make_dir(folder)?;
        if self.was_copied_to(folder)? {
            return fs::remove_file(&self.path).map_err(failed("remove", &self.path));
        }
        let place = self.free_name(folder);
        if let Some(note) = note {
            let mut name = place.file_name().unwrap_or_default().to_owned();
            name.push(".reason.txt");
            write_durably(&place.with_file_name(name), note.as_bytes())?;
            passed(point!("original.noted"))?;
        }
        match rename_to_free(&self.path, &place) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                copy_over(&self.path, &place)
            }
            renamed => renamed.map_err(failed("move", &self.path)),
        }
    }

    /// Whether an earlier attempt copied it to another file system, and was killed before it removed
    /// it here. Every byte is compared, since the original is removed next.
    fn was_copied_to(&self, folder: &Path) -> Result<bool, Failed> {
        let device = |path: &Path| fs::metadata(path).map(|facts| facts.dev());
        if device(folder).map_err(failed("look at", folder))?
            == device(&self.path).map_err(failed("look at", &self.path))?
        {
            return Ok(false);
        }
        for place in self.names(folder).take_while(|place| place.exists()) {
            let is_as_long = FileOriginal::at(&place)?.bytes == self.bytes;
            if is_as_long && measure(&place)? == measure(&self.path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn free_name(&self, folder: &Path) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default();
        self.names(folder).find(|place| !place.exists()).unwrap_or_else(|| folder.join(name))
    }

    /// The names that it may have in a folder: its own, or one with a number.
    fn names(&self, folder: &Path) -> impl Iterator<Item = PathBuf> {
        let numbered = |number: u32| {
            let mut numbered = self.path.file_stem().unwrap_or_default().to_owned();
            numbered.push(format!(".{number}"));
            if let Some(extension) = self.path.extension() {
                numbered.push(".");
                numbered.push(extension);
            }
            folder.join(numbered)
        };
        let own = folder.join(self.path.file_name().unwrap_or_default());
        std::iter::once(own).chain((2..).map(numbered))
    }
}

/// Never over a file that came to be there meanwhile: it may be somebody's only copy.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems know no such flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}

/// The copy's hidden name is the same at every attempt, so that a crash does not leave many.
fn copy_over(from: &Path, to: &Path) -> Result<(), Failed> {
    let mut hidden = OsString::from(".");
    hidden.push(to.file_name().unwrap_or_default());
    hidden.push(".part");
    let part = to.with_file_name(hidden);
    if let Err(error) = fs::copy(from, &part) {
        // Most likely the disk is full, and nobody else would make room.
        let _ = fs::remove_file(&part);
        return Err(failed("copy", from)(error));
    }
    sync_and_finish(&part, to)?;
    passed(point!("original.copied"))?;
    fs::remove_file(from).map_err(failed("remove", from))
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
