//! Syncing what was written, and the folders that it is in.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::error::{Result, StoreError};

/// One sync for thousands of files: they were all written moments ago.
pub(super) fn sync_file_systems<'a>(files: impl Iterator<Item = &'a Path>) -> Result<()> {
    let mut synced = BTreeSet::new();
    for file in files {
        let fault = || StoreError::io("sync", file.display());
        let open = File::open(file).map_err(fault())?;
        if synced.insert(open.metadata().map_err(fault())?.dev()) {
            rustix::fs::syncfs(open).map_err(io::Error::from).map_err(fault())?;
        }
    }
    Ok(())
}

/// Syncs the folders from the one that holds `path` up to the one that holds `root`, so that the
/// new names, the folders' own among them, survive a crash.
pub(super) fn sync_parents(path: &Path, root: &Path) -> io::Result<()> {
    let above_root = root.parent().unwrap_or(root);
    for folder in path.ancestors().skip(1) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
        if folder == above_root || !folder.starts_with(root) {
            break;
        }
    }
    Ok(())
}
