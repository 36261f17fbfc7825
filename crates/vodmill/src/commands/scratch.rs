//! A folder of this process, gone with it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::Config;

/// A folder in the state, of this process alone.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new one of the command `name`.
    pub fn new(config: &Config, name: &str) -> anyhow::Result<Scratch> {
        let state = std::path::absolute(config.state()).context("find the state")?;
        let folder = state.join(format!("{name}-{}", std::process::id()));
        vodmill_secret::make_dir(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(Scratch(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
