//! Who may read the files of a store, whatever the umask.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Who may read files and enter folders; to change them is their owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every account.
    All,
    /// Their owner.
    Owner,
}

impl Access {
    fn file_mode(self) -> u32 {
        if self == Access::All { 0o644 } else { 0o600 }
    }

    fn folder_mode(self) -> u32 {
        if self == Access::All { 0o755 } else { 0o700 }
    }

    /// Gives a file of ours its permissions.
    pub(crate) fn give(self, file: &Path) -> io::Result<()> {
        set(file, self.file_mode())
    }

    /// Makes a folder and those above it; those that are there stay as they are.
    pub(crate) fn make_dirs(self, folder: &Path) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
            self.make_dirs(above)?;
        }
        match fs::create_dir(folder) {
            Ok(()) => set(folder, self.folder_mode()),
            // Another process was first.
            Err(_) if folder.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn set(path: &Path, mode: u32) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o7777 == mode {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        // Some file systems have the same permissions for everything.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        given => given,
    }
}

/// A new file for what is read out of a store, its owner's alone.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}
