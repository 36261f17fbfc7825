//! Where files go when their jobs have ended. Nothing that is there already is ever replaced: it may
//! be somebody's only copy.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use vodmill_fault::point;
use vodmill_model::Failed;

use super::names::{candidates, fitted, hidden};
use super::open::{Facts, OpenOriginal};
use crate::file::{failed, make_dir, passed, sync_parent, write_durably};

/// What the file with the reason of a refusal ends in.
const REASON: &str = ".reason.txt";

/// Moves the file at `path`, which is open, to a name that is free in `folder`: an older original of
/// the same name may be there. The note goes first, so that no crash leaves a refused file without
/// its reason. Returns its new path.
pub(super) fn put_away(
    path: &Path,
    open: &OpenOriginal,
    folder: &Path,
    note: Option<&str>,
) -> Result<PathBuf, Failed> {
    make_dir(folder)?;
    refuse_link(path, folder)?;
    let name = path.file_name().unwrap_or_default();
    if let Some(copy) = earlier_copy(open, folder, name)? {
        remove(path, open)?;
        return Ok(copy);
    }
    for place in candidates(name, "").map(|name| folder.join(name)) {
        if is_taken(&place) {
            continue;
        }
        if let Some(note) = note {
            write_note(&place, note)?;
            passed(point!("original.noted"))?;
        }
        match move_to(path, open, &place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            moved => return moved.map(|()| place).map_err(failed("move", path)),
        }
    }
    Err(Failed::new(format!("move {}", path.display()), "every name made from its own is taken"))
}

/// Whether nothing is at `path`, or something that cannot be the original.
pub(super) fn is_gone(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Takes a file back that was put away, to its old name or one with a number.
pub(super) fn take_back(place: &Path, path: &Path) -> Result<PathBuf, Failed> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    for name in candidates(path.file_name().unwrap_or_default(), "") {
        let back = folder.join(name);
        match rename_to_free(place, &back) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            renamed => return renamed.map(|()| back).map_err(failed("take back", place)),
        }
    }
    Err(Failed::new(format!("take back {}", place.display()), "every name of it is taken"))
}

/// Whoever drops files into an inbox could put a link there in the place of a folder within, and
/// have originals moved where only vodmill may write.
fn refuse_link(path: &Path, folder: &Path) -> Result<(), Failed> {
    let is_within = folder.parent() == path.parent();
    let facts = fs::symlink_metadata(folder).map_err(failed("look at", folder))?;
    if is_within && facts.is_symlink() {
        let stage = format!("put an original away in {}", folder.display());
        let cause = "it is a link; name the folder that it leads to in the pipeline instead";
        return Err(Failed::new(stage, cause));
    }
    Ok(())
}

/// A copy on another file system that an earlier attempt made, which was killed before it removed
/// the file here. Every byte is compared, since the original is removed next.
fn earlier_copy(
    open: &OpenOriginal,
    folder: &Path,
    name: &OsStr,
) -> Result<Option<PathBuf>, Failed> {
    let there = fs::metadata(folder).map_err(failed("look at", folder))?;
    if there.dev() == open.facts.device {
        return Ok(None);
    }
    let mut own = None;
    for place in candidates(name, "").map(|name| folder.join(name)) {
        let Ok(copy) = OpenOriginal::at(&place) else { break };
        if copy.facts.bytes != open.facts.bytes {
            continue;
        }
        let own = match &own {
            Some(own) => own,
            None => own.insert(open.sha256().map_err(failed("read original for", &place))?),
        };
        if copy.sha256().map_err(failed("read", &place))? == *own {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Writes the reason beside the place of a refused file. One that an earlier attempt wrote is kept.
fn write_note(place: &Path, note: &str) -> Result<(), Failed> {
    let first = fitted(place.file_name().unwrap_or_default(), "", REASON);
    for name in candidates(&first, "") {
        let file = place.with_file_name(name);
        if is_taken(&file) {
            if OpenOriginal::at(&file).is_ok_and(|open| holds(&open, note)) {
                return Ok(());
            }
            continue;
        }
        return write_durably(&file, note.as_bytes());
    }
    Err(Failed::new(format!("note beside {}", place.display()), "every name for it is taken"))
}

fn holds(open: &OpenOriginal, note: &str) -> bool {
    open.facts.bytes == note.len() as u64
        && fs::read(open.held()).is_ok_and(|bytes| bytes == note.as_bytes())
}

fn move_to(path: &Path, open: &OpenOriginal, place: &Path) -> io::Result<()> {
    match rename_to_free(path, place) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_over(path, open, place),
        renamed => renamed.and_then(|()| check_moved(path, open, place)),
    }
}

/// Another file may have come to `path` since it was opened: it goes back, and is not lost.
fn check_moved(path: &Path, open: &OpenOriginal, place: &Path) -> io::Result<()> {
    let moved = fs::symlink_metadata(place)?;
    if (moved.dev(), moved.ino()) == (open.facts.device, open.facts.inode) {
        return Ok(());
    }
    rename_to_free(place, path)?;
    Err(io::Error::other("another file took its place"))
}

/// Never over a file that came to be there meanwhile.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems know no such flag; there the name is taken first.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            File::create_new(to)?;
            fs::rename(from, to).inspect_err(|_| drop(fs::remove_file(to)))
        }
        renamed => Ok(renamed?),
    }
}

/// The copy's hidden name is the same at every attempt, so that a crash does not leave many.
fn copy_over(path: &Path, open: &OpenOriginal, place: &Path) -> io::Result<()> {
    let part = place.with_file_name(hidden(place.file_name().unwrap_or_default(), ".part"));
    if let Err(error) = copy(open, &part) {
        // Most likely the disk is full, and nobody else would make room.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    rename_to_free(&part, place)?;
    sync_parent(place).map_err(io::Error::other)?;
    point!("original.copied")?;
    remove(path, open).map_err(io::Error::other)
}

fn copy(open: &OpenOriginal, part: &Path) -> io::Result<()> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut copy = OpenOptions::new().write(true).create_new(true).open(part)?;
    io::copy(&mut File::open(open.held())?, &mut copy)?;
    copy.set_permissions(open.file.metadata()?.permissions())?;
    copy.sync_all()?;
    if Facts::of(&open.file.metadata()?) == open.facts {
        return Ok(());
    }
    Err(io::Error::other("it changed while it was copied"))
}

/// Removes the file at `path`, if it is the open one still.
fn remove(path: &Path, open: &OpenOriginal) -> Result<(), Failed> {
    match fs::symlink_metadata(path) {
        Ok(there) if (there.dev(), there.ino()) != (open.facts.device, open.facts.inode) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => fs::remove_file(path).map_err(failed("remove", path)),
    }
}

/// Whether anything has that name, also a link that leads nowhere.
fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests;
