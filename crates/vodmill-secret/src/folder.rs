//! Folders and files that only their owner gets into.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::{OTHERS, close};

/// Makes a folder and those above it, private; those that are there stay as they are.
///
/// # Errors
/// The system's.
pub fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file for writing, made private where it is not there; empties none.
///
/// # Errors
/// The system's.
pub fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Closes a folder of state, and all in it, to others: earlier versions made it as the umask was.
/// A folder that is closed already is not looked into. Where something belongs to another account,
/// that is logged, and the rest stays as it is. Files that `spared` names are left: that others had access to them is to be told
/// when they are read.
///
/// # Errors
/// The folder cannot be looked at. One that is not there is no error.
pub fn tighten(root: &Path, spared: &dyn Fn(&Path) -> bool) -> io::Result<()> {
    let facts = match fs::symlink_metadata(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        facts => facts?,
    };
    if !facts.is_dir() || facts.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    // The root last: until it is closed, a start that was cut short is made good by the next.
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path.clone());
            }
            if (kind.is_dir() || kind.is_file()) && !spared(&path) {
                let closed = entry.metadata().and_then(|facts| close(&path, &facts));
                if !is_closed(&path, closed) {
                    return Ok(());
                }
            }
        }
    }
    is_closed(root, close(root, &facts));
    Ok(())
}

fn is_closed(path: &Path, closed: io::Result<()>) -> bool {
    match closed {
        // Scratch of another process may go away meanwhile.
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(path = %path.display(), error, "state is open to other accounts");
            false
        }
        _ => true,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn open_up(path: &Path) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_private() {
        let dir = tempfile::tempdir().unwrap();
        make_dir(&dir.path().join("a/b")).unwrap();
        drop(create(&dir.path().join("a/b/file")).unwrap());
        let modes = ["a", "a/b", "a/b/file"].map(|name| mode(&dir.path().join(name)));
        assert_eq!(modes, [0o700, 0o700, 0o600]);
    }

    #[test]
    fn an_open_state_is_closed_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("state");
        let outside = dir.path().join("outside");
        let names = ["daemon", "daemon/queue.sqlite", "keys", "keys/kek"].map(|it| root.join(it));
        fs::create_dir_all(&names[0]).unwrap();
        fs::create_dir_all(&names[2]).unwrap();
        for file in [&names[1], &names[3], &outside] {
            fs::write(file, "x").unwrap();
        }
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        names.iter().chain([&root, &outside]).for_each(|path| open_up(path));
        tighten(&root, &|path| path.ends_with("keys/kek")).unwrap();
        assert_eq!(names.map(|path| mode(&path)), [0o700, 0o600, 0o700, 0o644]);
        assert_eq!((mode(&root), mode(&outside)), (0o700, 0o644), "links are not followed");
        open_up(&root.join("daemon"));
        tighten(&root, &|_| false).unwrap();
        assert_eq!(mode(&root.join("daemon")), 0o755, "what is closed is not looked into");
        tighten(&dir.path().join("none"), &|_| false).unwrap();
    }
}
