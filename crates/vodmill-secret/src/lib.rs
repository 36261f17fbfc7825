//! Files with secrets, and the folders that are their owner's alone.
//!
//! Every secret that vodmill reads from a file comes through [`read`], which refuses a file that
//! others can read or change. What vodmill makes for itself is made by [`make_dir`] and [`create`],
//! and [`tighten`] closes what earlier versions left open.

mod folder;

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

pub use folder::{create, make_dir, tighten};

/// No file with a secret is larger; one that is was named by mistake.
const LARGEST: u64 = 1 << 20;

/// Permissions of anybody but the owner.
const OTHERS: u32 = 0o077;
/// Permissions of anybody but the owner to change a file.
const OTHERS_WRITE: u32 = 0o022;
/// What a file may have that root hands to one account through its group.
const HANDED: u32 = 0o040;

/// Why a file is not taken for a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It is not there, or not to be read.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, a pipe, or something else that is no file.
    #[error("{0} is not a plain file")]
    NotAFile(PathBuf),
    /// Nobody keeps a secret of that size.
    #[error("{path} has {bytes} bytes: it is not a file with a secret")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Others than its owner can read or change it.
    #[error(
        "{path} can be {verb} by others than its owner (mode {mode:04o}): a secret that was open \
         may be known, so replace it, or, where it never was in reach of others, chmod {fit} {path}"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// What others can do.
        verb: &'static str,
        /// The permissions that it should have.
        fit: &'static str,
    },
}

impl SecretError {
    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, SecretError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// The text of a file that holds a secret.
///
/// Its owner alone may have access to it. The group may read it where root owns it and this process
/// is another account's: so systemd and Kubernetes hand secrets out.
///
/// # Errors
/// [`SecretError`] names the file, and what to do where others have access to it.
pub fn read(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let (file, facts) = open(path)?;
    let mode = facts.mode() & 0o7777;
    let is_handed = facts.uid() == 0 && !rustix::process::geteuid().is_root();
    let open_to = if is_handed { mode & OTHERS & !HANDED } else { mode & OTHERS };
    if open_to != 0 {
        let verb = if open_to & OTHERS_WRITE == 0 { "read" } else { "changed" };
        return Err(SecretError::Exposed { path: path.to_owned(), mode, verb, fit: "600" });
    }
    text(path, file)
}

/// The text of a file that holds nothing secret, and says whom to trust: others may read it, and
/// only its owner may change it.
///
/// # Errors
/// As [`read`].
pub fn read_public(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let (file, facts) = open(path)?;
    let mode = facts.mode() & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        let (path, verb) = (path.to_owned(), "changed");
        return Err(SecretError::Exposed { path, mode, verb, fit: "644" });
    }
    text(path, file)
}

/// Opens a plain file, and never waits for the other end of a pipe.
fn open(path: &Path) -> Result<(File, Metadata), SecretError> {
    let failed = |source| SecretError::Read { path: path.to_owned(), source };
    let mut options = File::options();
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = options.read(true).custom_flags(flags).open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    match (facts.is_file(), facts.len()) {
        (false, _) => Err(SecretError::NotAFile(path.to_owned())),
        (true, bytes) if bytes > LARGEST => {
            Err(SecretError::TooLarge { path: path.to_owned(), bytes })
        }
        (true, _) => Ok((file, facts)),
    }
}

fn text(path: &Path, file: File) -> Result<Zeroizing<String>, SecretError> {
    let mut text = Zeroizing::new(String::new());
    let read = file.take(LARGEST).read_to_string(&mut text);
    read.map_err(|source| SecretError::Read { path: path.to_owned(), source })?;
    Ok(text)
}

/// Takes every permission of others from a file or folder.
fn close(path: &Path, facts: &Metadata) -> io::Result<()> {
    let mode = facts.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & !OTHERS & 0o7777))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn secret(dir: &Path, mode: u32) -> PathBuf {
        let path = dir.join(format!("secret-{mode:o}"));
        fs::write(&path, "s3cret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_secret_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(*read(&secret(dir.path(), mode)).unwrap(), "s3cret");
        }
        for mode in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o666, 0o777] {
            let path = secret(dir.path(), mode);
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn what_says_whom_to_trust_may_be_read_and_not_changed() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o600, 0o644, 0o444] {
            assert_eq!(*read_public(&secret(dir.path(), mode)).unwrap(), "s3cret");
        }
        for mode in [0o664, 0o646, 0o666] {
            let error = read_public(&secret(dir.path(), mode)).unwrap_err().to_string();
            assert!(error.contains("chmod 644"), "{error}");
        }
    }

    #[test]
    fn a_link_counts_as_what_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        for (mode, good) in [(0o600, true), (0o644, false)] {
            let link = dir.path().join(format!("link-{mode:o}"));
            symlink(secret(dir.path(), mode), &link).unwrap();
            assert_eq!(read(&link).is_ok(), good);
        }
    }

    #[test]
    fn what_is_no_plain_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        for path in [fifo.as_path(), dir.path(), Path::new("/dev/null")] {
            assert!(matches!(read(path), Err(SecretError::NotAFile(_))), "{}", path.display());
        }
        let large = secret(dir.path(), 0o600);
        File::options().write(true).open(&large).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(matches!(read(&large), Err(SecretError::TooLarge { .. })));
        assert!(read(&dir.path().join("none")).unwrap_err().is_not_found());
    }
}
