//! Files with secrets that may change while they are used.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vodmill_clock::Clock;
use vodmill_secret::SecretError;

/// From one look at a file to the next.
const LOOK: Duration = Duration::from_secs(1);

/// Why a file with secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read, or others have access to it.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It does not say what it should.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong; no secret.
        reason: String,
    },
}

/// A parsed file that is read again within a second of a change. Where it cannot be read any more,
/// that is logged, and the last good content stays in use.
pub(crate) struct ReloadingFile<T> {
    path: PathBuf,
    parse: fn(&str) -> Result<T, String>,
    is_secret: fn(&T) -> bool,
    state: Mutex<State<T>>,
    clock: Arc<dyn Clock>,
}

struct State<T> {
    value: Arc<T>,
    version: FileVersion,
    /// The uptime at the last look.
    looked: Duration,
}

type FileVersion = (u64, u64, i64, i64);

impl<T> ReloadingFile<T> {
    /// Others may not read the file where its content `is_secret`, and change it in no case.
    pub(crate) fn open(
        path: PathBuf,
        parse: fn(&str) -> Result<T, String>,
        is_secret: fn(&T) -> bool,
        clock: &Arc<dyn Clock>,
    ) -> Result<ReloadingFile<T>, SecretFileError> {
        let (value, version) = read(&path, parse, is_secret)?;
        let state = State { value: Arc::new(value), version, looked: clock.uptime() };
        let clock = Arc::clone(clock);
        Ok(ReloadingFile { path, parse, is_secret, state: Mutex::new(state), clock })
    }

    /// What it says now.
    pub(crate) fn get(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.uptime();
        if now.saturating_sub(state.looked) >= LOOK {
            state.looked = now;
            let changed =
                fs::metadata(&self.path).is_ok_and(|facts| version(&facts) != state.version);
            if changed {
                self.reload(&mut state);
            }
        }
        Arc::clone(&state.value)
    }

    fn reload(&self, state: &mut State<T>) {
        match read(&self.path, self.parse, self.is_secret) {
            Ok((value, version)) => {
                state.value = Arc::new(value);
                state.version = version;
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
    parse: fn(&str) -> Result<T, String>,
    is_secret: fn(&T) -> bool,
) -> Result<(T, FileVersion), SecretFileError> {
    let failed = |source| SecretError::Read { path: path.to_owned(), source };
    // Looked at first: what changes from here on is read again.
    let facts = fs::metadata(path).map_err(failed)?;
    let bad = |reason| SecretFileError::Content { path: path.to_owned(), reason };
    let exposed = match vodmill_secret::read(path) {
        Ok(text) => return Ok((parse(&text).map_err(bad)?, version(&facts))),
        Err(error) => error,
    };
    match vodmill_secret::read_public(path) {
        Ok(text) => match parse(&text).map_err(bad)? {
            value if is_secret(&value) => Err(exposed.into()),
            value => Ok((value, version(&facts))),
        },
        Err(_) => Err(exposed.into()),
    }
}

fn version(facts: &Metadata) -> FileVersion {
    (facts.ino(), facts.size(), facts.mtime(), facts.mtime_nsec())
}
