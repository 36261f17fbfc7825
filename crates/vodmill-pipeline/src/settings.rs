//! What the worker is told once, and where it keeps what.

use std::path::PathBuf;
use std::time::Duration;

use vodmill_model::catalogue::Catalogue;
use vodmill_store::s3::S3Settings;

/// Everything the worker needs to know, validated before it is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the queue, the keys, renditions and scratch. One worker works in it at a time.
    pub state: PathBuf,
    /// Folder that relative paths count from: originals in it are known by their place there, so that
    /// it may move.
    pub home: PathBuf,
    /// Folder of the key store; shared by all mills of a home, as is the database of names beside it.
    pub keys: PathBuf,
    /// How buckets are reached.
    pub s3: S3Settings,
    /// Pipelines and presets.
    pub catalogue: Catalogue,
    /// How media work is started in a process of its own.
    pub child: ChildCommand,
    /// Tasks that run side by side.
    pub workers: usize,
    /// Bytes of renditions that are kept for packaging again.
    pub keep_renditions: u64,
    /// How long a lease lasts without a heartbeat: what the death of a worker costs.
    pub lease: Duration,
    /// Bounds of every child.
    pub limits: Limits,
    /// Whether somebody waits for each job: then what the world has to mend first fails it at once.
    /// Otherwise it is tried for as long as what is away, since whoever mends it is not here.
    pub foreground: bool,
}

/// The command that runs an [`Assignment`](crate::child::Assignment) from its standard input.
#[derive(Clone, Debug)]
pub struct ChildCommand {
    /// The program: this very binary.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// Bounds of a child process.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of address space.
    pub memory: u64,
    /// Bytes of the largest file that it may write.
    pub file_size: u64,
    /// Longest time without progress in the media.
    pub stall: Duration,
    /// How closely it is confined.
    pub sandbox: Sandbox,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory: 3 << 30,
            file_size: 64 << 30,
            stall: Duration::from_secs(120),
            sandbox: Sandbox::default(),
        }
    }
}

/// How closely a child is confined to the files of its assignment: no network, no other program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sandbox {
    /// As far as the kernel offers it.
    #[default]
    IfPossible,
    /// Wholly, or it does not work at all.
    Required,
    /// Not at all.
    Off,
}

impl Sandbox {
    const ALL: [Sandbox; 3] = [Sandbox::IfPossible, Sandbox::Required, Sandbox::Off];

    /// As it is written in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Sandbox::IfPossible => "if_possible",
            Sandbox::Required => "required",
            Sandbox::Off => "off",
        }
    }
}

impl std::str::FromStr for Sandbox {
    type Err = String;

    fn from_str(text: &str) -> Result<Sandbox, String> {
        let known = Sandbox::ALL.into_iter().find(|level| level.as_str() == text);
        known.ok_or_else(|| format!("{text:?} is none of \"if_possible\", \"required\", \"off\""))
    }
}

/// Where a worker keeps what, below [`Settings::state`].
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: PathBuf) -> Layout {
        Layout { root }
    }

    pub(crate) fn root(&self) -> &PathBuf {
        &self.root
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.root.join("queue.sqlite")
    }

    /// Files of a shared work store that were here lately.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Scratch of one job; gone when it has ended.
    pub(crate) fn scratch(&self, job: &str) -> PathBuf {
        self.work().join(job)
    }

    /// Scratch of one attempt at a task: an earlier one may not be quite dead.
    pub(crate) fn attempt(&self, job: &str, writer: &str) -> PathBuf {
        self.scratch(job).join(writer)
    }
}
