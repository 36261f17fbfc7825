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

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
