//! A mark beside the file of a queue, to tell one that was lost from one that was never made. SQLite
//! takes an empty file for a new database.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::unopened;
use crate::error::{Error, Result};

/// What its name ends in.
const ENDING: &str = ".made";

/// What it says to its reader.
const TEXT: &str = "Beside this file is a queue of vodmill. This says that it was made: should it be \
    missing or empty, vodmill does not begin a new one unless this is removed too.\n";

fn place(queue: &Path) -> PathBuf {
    let mut name = queue.file_name().unwrap_or_default().to_owned();
    name.push(ENDING);
    queue.with_file_name(name)
}

/// Whether a queue was made here.
pub(super) fn is_there(queue: &Path) -> bool {
    place(queue).exists()
}

/// What to say of a queue that was made and is not there.
pub(super) fn lost(queue: &Path) -> Error {
    let mark = place(queue).display().to_string();
    Error::Lost { place: queue.display().to_string(), mark }
}

/// Notes that the queue has its tables. Only the name counts, so that a crash leaves it or not.
pub(super) fn leave(queue: &Path) -> Result<()> {
    if is_there(queue) {
        return Ok(());
    }
    write(&place(queue)).map_err(|source| unopened(queue, source))
}

fn write(mark: &Path) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(mark)?;
    file.write_all(TEXT.as_bytes())?;
    file.sync_all()?;
    File::open(mark.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")))?
        .sync_all()
}
