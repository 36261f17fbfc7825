//! Files with secrets that may change while they are used.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From one look at a file to the next.
const LOOK: Duration = Duration::from_secs(1);

/// Why a file with secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It is not there, or not to be read.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than its owner can read it.
    #[error("{path} can be read by everybody: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It does not say what it should.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong; no secret.
        reason: String,
    },
}

/// What a file says, read again within a second of a change. A change for the worse is logged, and
/// what the file said before goes on to count.
pub(crate) struct Watched<T> {
    path: PathBuf,
    private: bool,
    parse: fn(&str) -> Result<T, String>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Arc<T>,
    stamp: Stamp,
    looked: Instant,
}

type Stamp = (u64, u64, i64, i64);

impl<T> Watched<T> {
    /// A `private` file must not be readable by everybody.
    pub(crate) fn open(
        path: PathBuf,
        private: bool,
        parse: fn(&str) -> Result<T, String>,
    ) -> Result<Watched<T>, SecretFileError> {
        let (value, stamp) = read(&path, private, parse)?;
        let state = State { value: Arc::new(value), stamp, looked: Instant::now() };
        Ok(Watched { path, private, parse, state: Mutex::new(state) })
    }

    /// What it says now.
    pub(crate) fn get(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            let changed = fs::metadata(&self.path).is_ok_and(|facts| stamp(&facts) != state.stamp);
            if changed {
                self.reload(&mut state);
            }
        }
        Arc::clone(&state.value)
    }

    fn reload(&self, state: &mut State<T>) {
        match read(&self.path, self.private, self.parse) {
            Ok((value, stamp)) => {
                state.value = Arc::new(value);
                state.stamp = stamp;
                tracing::info!(file = %self.path.display(), "secrets read again");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "changed secrets not taken; those before still count");
            }
        }
    }
}

fn read<T>(
    path: &Path,
    private: bool,
    parse: fn(&str) -> Result<T, String>,
) -> Result<(T, Stamp), SecretFileError> {
    let failed = |source| SecretFileError::Read { path: path.to_owned(), source };
    let facts = fs::metadata(path).map_err(failed)?;
    if private && facts.permissions().mode() & 0o007 != 0 {
        return Err(SecretFileError::Open { path: path.to_owned() });
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let bad = |reason| SecretFileError::Content { path: path.to_owned(), reason };
    Ok((parse(&text).map_err(bad)?, stamp(&facts)))
}

fn stamp(facts: &Metadata) -> Stamp {
    (facts.ino(), facts.size(), facts.mtime(), facts.mtime_nsec())
}
