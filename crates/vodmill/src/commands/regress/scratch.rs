//! A home for one comparison: its own queue, keys, clips and packages, gone with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;

use crate::config::Config;

/// A folder of this process.
pub struct Scratch(PathBuf);

/// Tells folders of one process apart.
static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Scratch {
    /// A new one in the state of the home.
    pub fn new(config: &Config) -> anyhow::Result<Scratch> {
        remove_orphans(&config.state());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("regress-{}-{number}", std::process::id());
        let scratch = Scratch(config.state().join(name));
        for folder in [&scratch.clips(), &scratch.0] {
            vodmill_secret::make_dir(folder)
                .with_context(|| format!("make {}", folder.display()))?;
        }
        Ok(scratch)
    }

    /// Where clips lie.
    pub fn clips(&self) -> PathBuf {
        self.0.join("clips")
    }

    /// Where packages are published.
    pub fn published(&self) -> PathBuf {
        self.0.join("published")
    }

    /// State of the worker.
    pub fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// Keys that nobody has afterwards.
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Removes what processes have left that were killed.
fn remove_orphans(state: &Path) {
    for entry in std::fs::read_dir(state).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("regress-").and_then(|rest| rest.split_once('-'));
        let is_orphan = process.is_some_and(|(id, _)| !Path::new("/proc").join(id).exists());
        if is_orphan {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
        // The state of a home that has none is gone, too; one that holds anything stays.
        let _ = self.0.parent().map(std::fs::remove_dir);
    }
}
