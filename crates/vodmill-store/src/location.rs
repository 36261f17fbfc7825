//! Where objects are, as a user writes it: a folder, or `s3://BUCKET/PREFIX`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::access::Access;
use crate::error::{Result, StoreError};
use crate::s3::{Bucket, ObjectSettings, S3Settings, S3Store};
use crate::{Key, LocalStore, Store};

/// A place for objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// A folder.
    Folder(PathBuf),
    /// A bucket, or what is under a prefix of it.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// The prefix, without a `/` at its end.
        prefix: Option<Key>,
    },
}

impl Location {
    /// Reads `text`: `s3://BUCKET`, `s3://BUCKET/PREFIX` with or without a `/` at its end, or else
    /// the path of a folder. What looks like the URL of something else is no folder, unless a `/` or
    /// `./` before it says so.
    ///
    /// # Errors
    /// [`StoreError::BadLocation`].
    pub fn parse(text: &str) -> Result<Location> {
        let bad = |why| StoreError::BadLocation { location: text.to_owned(), why };
        if text.is_empty() {
            return Err(bad("it is empty"));
        }
        if text.trim() != text || text.contains(char::is_control) {
            return Err(bad("it has blanks around it, or control characters in it"));
        }
        let Some(rest) = text.strip_prefix("s3://") else {
            return match no_folder(text) {
                Some(why) => Err(bad(why)),
                None => Ok(Location::Folder(PathBuf::from(text))),
            };
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !is_bucket(bucket) {
            return Err(bad("a bucket's name has 3 to 63 lower-case letters, digits, - and ."));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let key =
            || Key::new(prefix).map_err(|_| bad("its prefix cannot begin the key of objects"));
        let prefix = if prefix.is_empty() { None } else { Some(key()?) };
        Ok(Location::Bucket { bucket: bucket.to_owned(), prefix })
    }

    /// The store that is there, for private data: a folder is readable by its owner alone.
    pub fn open_private(&self, s3: &S3Settings, objects: &ObjectSettings) -> Arc<dyn Store> {
        match self {
            Location::Folder(path) => Arc::new(LocalStore::private(path)),
            Location::Bucket { .. } => self.open(s3, objects),
        }
    }

    /// The folder or prefix `name` in it.
    ///
    /// # Errors
    /// [`StoreError::BadKey`].
    pub fn join(&self, name: &str) -> Result<Location> {
        Ok(match self {
            Location::Folder(folder) => Location::Folder(folder.join(name)),
            Location::Bucket { bucket, prefix } => {
                let key = match prefix {
                    Some(prefix) => prefix.join(name)?,
                    None => Key::new(name)?,
                };
                Location::Bucket { bucket: bucket.clone(), prefix: Some(key) }
            }
        })
    }

    /// The store there. Touches and sends nothing; clients and connections are shared by all that
    /// is opened with the same `settings`.
    pub fn open(&self, settings: &S3Settings, objects: &ObjectSettings) -> Arc<dyn Store> {
        match self {
            Location::Folder(path) => Arc::new(LocalStore::new(path)),
            Location::Bucket { bucket, prefix } => {
                Arc::new(S3Store::new(bucket, prefix.as_ref(), settings, objects))
            }
        }
    }
}

impl Location {
    /// Whether objects can be written there: a folder is made, and a file in it; a bucket's server is
    /// tried out. Nothing of it stays but the folder.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn try_out(&self, settings: &S3Settings) -> Result<()> {
        match self {
            Location::Folder(folder) => try_folder(folder),
            Location::Bucket { bucket, prefix } => {
                let prefix = prefix.as_ref().map_or(String::new(), |prefix| format!("{prefix}/"));
                let bucket = Bucket::open(bucket, settings);
                bucket.reach()?;
                bucket.capabilities(&prefix).map(drop)
            }
        }
    }
}

/// Makes a folder that every account may enter, and a hidden file in it that goes again.
fn try_folder(folder: &Path) -> Result<()> {
    let made = Access::All.make_dirs(folder);
    made.map_err(StoreError::io("make folder", folder.display()))?;
    let trial = folder.join(format!(".vodmill-trial-{}", std::process::id()));
    let tried = std::fs::write(&trial, b"").and_then(|()| std::fs::remove_file(&trial));
    tried.map_err(StoreError::io("write in folder", folder.display()))
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Folder(path) => path.display().fmt(f),
            Location::Bucket { bucket, prefix: None } => write!(f, "s3://{bucket}"),
            Location::Bucket { bucket, prefix: Some(prefix) } => {
                write!(f, "s3://{bucket}/{prefix}")
            }
        }
    }
}

/// Schemes of places that may be meant; a folder's name may have a colon in it otherwise.
const SCHEMES: [&str; 12] =
    ["s3", "s3a", "s3n", "gs", "az", "file", "http", "https", "ftp", "sftp", "nfs", "smb"];

/// Why that text is not meant as a folder, where it is not.
fn no_folder(text: &str) -> Option<&'static str> {
    if text.starts_with('~') {
        return Some("~ is not known here: write the whole path");
    }
    let (scheme, rest) = text.split_once(':')?;
    let is_known = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let is_url = is_scheme(scheme) && (rest.starts_with('/') || is_known);
    is_url.then_some("only s3://BUCKET/PREFIX and folders are known")
}

/// RFC 3986, section 3.1; one letter is no scheme that anybody means.
fn is_scheme(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(is_known)
}

fn is_bucket(name: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_known = |c: char| is_end(c) || matches!(c, '-' | '.');
    (3..=63).contains(&name.len())
        && name.chars().all(is_known)
        && name.starts_with(is_end)
        && name.ends_with(is_end)
}
