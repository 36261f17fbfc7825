//! Inboxes: folders that originals are dropped into.
//!
//! They are looked through every second rather than by inotify: inotify hears nothing of what other
//! machines write to a network file system, and its events say that a file was touched, not that it
//! is complete. A scan finds what is there, also after a restart, and costs next to nothing.

pub mod scan;
pub mod settle;
pub mod whole;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use vodmill_pipeline::{Disposal, Mill, Stop, StopLevel, Submission};

use crate::config::{Config, Folders};
use scan::Scanner;
use settle::{Patience, Settler};

/// From one look to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// The inbox of one pipeline.
struct Inbox {
    pipeline: String,
    folders: Folders,
    scanner: Scanner,
    settler: Settler,
    /// The last scan failed, and was reported.
    troubled: bool,
}

/// The inboxes of all pipelines.
pub struct Inboxes {
    inboxes: Vec<Inbox>,
    /// Folders within inboxes that are there for a reason: no need to warn of them.
    own: Vec<PathBuf>,
    strays: Strays,
}

/// The folder that inboxes are in by default, where nothing is to be dropped.
struct Strays {
    folder: PathBuf,
    scanner: Scanner,
    warned: HashSet<PathBuf>,
}

impl Inboxes {
    /// Makes the folders of all pipelines, where they are not there.
    ///
    /// # Errors
    /// Names the folder that cannot be made.
    pub fn open(config: &Config) -> anyhow::Result<Inboxes> {
        let settle = Duration::from_secs(config.settings.settle_seconds.into());
        let mut inboxes = Vec::new();
        for (name, pipeline) in &config.catalogue.pipelines {
            let folders = config.folders(name, pipeline);
            for folder in [&folders.inbox, &folders.destination] {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("make {}", folder.display()))?;
            }
            tracing::info!(pipeline = name, path = %folders.inbox.display(), "watching inbox");
            inboxes.push(Inbox {
                pipeline: name.clone(),
                folders,
                scanner: Scanner::default(),
                settler: Settler::new(Patience::new(settle)),
                troubled: false,
            });
        }
        let own = inboxes.iter().flat_map(|inbox| {
            let Folders { inbox, done, rejected, .. } = &inbox.folders;
            [inbox.clone(), done.clone(), rejected.clone()]
        });
        let own = own.collect();
        Ok(Inboxes { inboxes, own, strays: Strays::new(config.home.join("inbox")) })
    }

    /// Submits what is dropped, until `stop` asks to leave.
    pub fn watch(&mut self, mill: &Mill, stop: &Stop) {
        let start = Instant::now();
        while stop.level() == StopLevel::Running {
            for inbox in &mut self.inboxes {
                inbox.look(mill, &self.own, start.elapsed(), stop);
            }
            self.strays.look(&self.own);
            stop.wait(INTERVAL);
        }
    }
}

impl Strays {
    fn new(folder: PathBuf) -> Strays {
        Strays { folder, scanner: Scanner::default(), warned: HashSet::new() }
    }

    /// Warns once of each file that lies beside the inboxes: whoever dropped it waits for it.
    fn look(&mut self, own: &[PathBuf]) {
        if own.contains(&self.folder) {
            return;
        }
        // Often it is not there, since pipelines can have their inboxes anywhere.
        for (path, _) in self.scanner.list(&self.folder, own).unwrap_or_default() {
            if !self.warned.contains(&path) {
                tracing::warn!(path = %path.display(), "dropped beside the inboxes");
                self.warned.insert(path);
            }
        }
    }
}

impl Inbox {
    fn look(&mut self, mill: &Mill, own: &[PathBuf], now: Duration, stop: &Stop) {
        let listing = match self.scanner.list(&self.folders.inbox, own) {
            Ok(listing) => listing,
            Err(error) => {
                // A network file system comes and goes: once is enough to say.
                if !std::mem::replace(&mut self.troubled, true) {
                    let path = self.folders.inbox.display();
                    tracing::error!(%path, %error, "inbox not readable");
                }
                return;
            }
        };
        self.troubled = false;
        // What cannot be read now is not whole now.
        let is_whole = |path: &Path| whole::is_whole(path).unwrap_or(false);
        for path in self.settler.scan(&listing, now, is_whole) {
            self.submit(mill, &path, stop);
        }
    }

    fn submit(&mut self, mill: &Mill, path: &Path, stop: &Stop) {
        let submission = Submission {
            original: path.to_path_buf(),
            pipeline: self.pipeline.clone(),
            destination: self.folders.destination.clone(),
            disposal: Disposal::Move {
                done: self.folders.done.clone(),
                rejected: self.folders.rejected.clone(),
            },
        };
        match mill.submit(&submission) {
            Ok(submitted) => match submitted.known {
                None => stop.wake(),
                Some(state) if state.has_ended() => {
                    let path = path.display();
                    tracing::warn!(%path, job = submitted.job, %state, "original known already");
                }
                Some(_) => {}
            },
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(path = %path.display(), error, "original not taken");
                self.settler.offer_again(path);
            }
        }
    }
}
