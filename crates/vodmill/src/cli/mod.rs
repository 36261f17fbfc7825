//! The command line.

mod delivery;
mod lifecycle;
mod measure;
mod outbox;
mod regress;
mod sync;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use delivery::{Cost, Keys, KeysAction, Rekey, Sign};
pub use lifecycle::{Adopt, Gc, Lifecycle, Restore};
pub use measure::Measure;
pub use outbox::{Invalidations, Outbox, OutboxAction};
pub use regress::Regress;
pub use sync::Sync;
pub use values::{CacheRule, Moment, Span};

use crate::config::settings::LogFilter;

const EXAMPLES: &str = "\
Examples:
  vodmill run talk.mov                 encode, package, prove and publish under ./published
  vodmill plan talk.mov                what that would do, and why; nothing is written
  vodmill daemon --serve 127.0.0.1:8480
                                       work on whatever is dropped into inbox/default/,
                                       and play it at http://127.0.0.1:8480/
  vodmill jobs                         what the daemon is doing

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 the input was refused.";

/// Turns originals into verified, encrypted, multi-platform video packages.
///
/// Nothing needs to be configured. To change something, put files into pipelines/ and presets/ of
/// the home folder (`vodmill pipelines show default` prints a start), and vodmill.toml beside them.
#[derive(Debug, Parser)]
#[command(name = "vodmill", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Folder with vodmill.toml, pipelines/, presets/, inbox/, published/ and state/
    #[arg(long, global = true, env = "VODMILL_HOME", default_value = ".", value_name = "DIR")]
    pub home: PathBuf,
    /// What to log on stderr: error, warn, info, debug or trace, also for parts of vodmill:
    /// info,vodmill_queue=debug [default for the daemon: `log` of vodmill.toml]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<LogFilter>,
    /// How to log
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what a file is: container, tracks, and what is odd about it
    Probe(Probe),
    /// Say what would be done with a file, and why; write nothing
    Plan(Plan),
    /// Work on given files in the foreground and publish them
    Run(Run),
    /// Watch the inboxes of all pipelines and work until stopped
    ///
    /// The first SIGTERM or Ctrl-C takes nothing new and lets running work finish for
    /// `drain_seconds`; what is not finished is parked and goes on at the next start. A second
    /// one stops at once.
    Daemon(Daemon),
    /// Work on the queue that several machines share, until stopped
    ///
    /// Needs `queue` and `work` in vodmill.toml, the same on all machines, and a copy of the file
    /// state/keys/kek. Start as many as there is work for, kill any of them at any moment: what one
    /// held is given to another when its lease runs out. The first SIGTERM or Ctrl-C, a spot notice
    /// say, takes nothing new and lets running work finish for `drain_seconds`; then its leases are
    /// given back at once. A second one stops at once.
    Worker,
    /// Prove a published package again, from its files alone
    Check(Check),
    /// Say how good pictures are against their original: VMAF and SSIM of files and packages
    Measure(Measure),
    /// Show how much there is to do; pause pipelines, retry or drop what was set aside
    Queue(Queue),
    /// Show events on their way to those who are told, and those that could not be delivered
    Outbox(Outbox),
    /// Show which paths the caches of a CDN were told to drop, and how many in which month
    Invalidations(Invalidations),
    /// List, show, retry or cancel the daemon's jobs
    Jobs(Jobs),
    /// List, export, serve, revoke or wrap keys anew; make tokens and credentials for them
    Keys(Keys),
    /// Make a destination this home's that was another's, or whose names were lost
    Adopt(Adopt),
    /// Remove generations that were replaced long enough ago, and what is left over
    ///
    /// Left over are uploads and scratch that nobody goes on with, and encoded streams beyond
    /// `keep_renditions`. What is published stays, and so does all of a job that is under way. The
    /// daemon does the same once a day, by `old_generations_days` and `unfinished_days` of
    /// vodmill.toml.
    Gc(Gc),
    /// Bring an archived original back
    ///
    /// Originals that `done_class` has put into an archive cannot be read before S3 has brought them
    /// back, which takes minutes to days and costs money. The same command says how far it is.
    Restore(Restore),
    /// Say what a pipeline's bucket has to do with old objects, or tell it
    ///
    /// Prints the lifecycle configuration that [lifecycle] of the pipeline asks for, as
    /// PutBucketLifecycleConfiguration takes it. With --apply the bucket gets these rules beside
    /// those that it has.
    Lifecycle(Lifecycle),
    /// Publish an asset again with other keys, without encoding
    ///
    /// Its segments are decrypted and encrypted anew, playlists and receipt follow, and the pointer
    /// moves to the new generation. The old one stays, with its keys, for pages that are open. Run it
    /// again if it was interrupted: it goes on with the keys that it has made.
    Rekey(Rekey),
    /// List, show or validate presets
    Presets(Catalogue),
    /// List, show or validate pipelines
    Pipelines(Catalogue),
    /// Make what is under a prefix of a bucket equal to a folder
    Sync(Sync),
    /// Sign a URL for CloudFront, or make the cookies that let a player in
    Sign(Sign),
    /// Say what an asset, or all of a pipeline, costs to make, keep and serve
    Cost(Cost),
    /// Encode clips by every pipeline and preset, and compare with a baseline
    ///
    /// For CI: says which preset costs more bytes at equal quality, looks worse, or makes something
    /// else than before, and whether its settings, the encoders or vodmill were changed. The clips are
    /// made by the program, or one's own. Nothing is published.
    Regress(Regress),
    /// Print the JSON Schema of a document that vodmill publishes
    Schema {
        /// The document
        document: Document,
    },
    /// Media work in a process of its own; started by vodmill itself
    #[command(hide = true)]
    Child,
}

/// A document that vodmill publishes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Document {
    /// asset.json: everything that a web site needs to know of an asset
    Asset,
    /// receipt.json: what a package claims, and `check` proves
    Receipt,
    /// regression.json: the baseline of `regress`
    Baseline,
    /// What `measure --json` prints: scores of pictures against their original
    Measurement,
}

/// `probe`.
#[derive(Debug, Args)]
pub struct Probe {
    /// The file
    pub file: PathBuf,
    /// Use the input policy of this pipeline
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// The file
    pub file: PathBuf,
    /// Plan for this pipeline [default: the only one, or the one named default]
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill run talk.mov
  vodmill run --out /srv/video -- -strange-name.mp4

Started again after an interruption with the same files, it goes on where it was. Originals stay
where they are.")]
pub struct Run {
    /// The files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Use this pipeline [default: the only one, or the one named default]
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Publish under this folder or s3:// location [default: the pipeline's destination]
    #[arg(long, value_name = "DIR")]
    pub out: Option<String>,
}

/// `daemon`.
#[derive(Debug, Args)]
pub struct Daemon {
    /// Serve published packages, their keys and a player page at this address. Who gets keys,
    /// `[key_server]` of vodmill.toml says; without it everybody does, and only on this machine
    #[arg(long, value_name = "ADDR")]
    pub serve: Option<SocketAddr>,
    /// A copy of hls.js for the player page; without it, only browsers that can play HLS
    /// themselves switch levels, and others get an MP4
    #[arg(long, value_name = "FILE")]
    pub player_js: Option<PathBuf>,
}

/// `queue`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill queue                        the backlog by kind of task, and who holds what
  vodmill queue --json                 the same for a script that scales workers
  vodmill queue retry 3fa2 video/0004  another try for a task that was set aside
  vodmill queue pause archive          hand out no more of pipeline archive for now")]
pub struct Queue {
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do; show the backlog without it.
    #[command(subcommand)]
    pub action: Option<QueueAction>,
}

/// What to do with the queue.
#[derive(Debug, Subcommand)]
pub enum QueueAction {
    /// List tasks that were set aside after too many failures, with their evidence
    Quarantined,
    /// Print what was asked of the process that failed at such a task, to do it again by hand
    Evidence {
        /// The job
        job: String,
        /// The task, as `video/0004`
        task: String,
    },
    /// Give a task that was set aside another round of attempts, and take its job up again
    Retry {
        /// The job
        job: String,
        /// The task, as `video/0004`
        task: String,
    },
    /// Forget a task that was set aside; its job stays failed
    Drop {
        /// The job
        job: String,
        /// The task, as `video/0004`
        task: String,
    },
    /// Hand out no more tasks of a pipeline; what is being done is finished
    Pause {
        /// The pipeline
        pipeline: String,
    },
    /// Hand out tasks of a pipeline again
    Resume {
        /// The pipeline
        pipeline: String,
    },
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The asset's folder, the one with asset.json, or its s3:// location
    #[arg(value_name = "DIR|s3://BUCKET/ASSET")]
    pub package: String,
    /// Also decode all media: as slow as playing it, many times over
    #[arg(long)]
    pub full: bool,
    /// Keys as `vodmill keys export` leaves them [default: the key store of the home]
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
}

/// `jobs`.
#[derive(Debug, Args)]
#[command(after_help = "An ID can be cut to four characters, if one job is meant; else run/ID.")]
pub struct Jobs {
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do; list without it.
    #[command(subcommand)]
    pub action: Option<JobsAction>,
}

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub enum JobsAction {
    /// List jobs, the newest first
    List,
    /// Show one job: its tasks, how far each rung is, how fast, how long still
    Show {
        /// The job
        id: String,
    },
    /// Take up a failed, rejected or cancelled job again; what it finished is not done twice
    Retry {
        /// The job
        id: String,
    },
    /// Stop a job; its original stays where it is
    Cancel {
        /// The job
        id: String,
    },
}

/// `presets` and `pipelines`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Catalogue {
    /// Print the JSON Schema of the files, for editors
    #[arg(long)]
    pub schema: bool,
    /// What to do; list without it.
    #[command(subcommand)]
    pub action: Option<CatalogueAction>,
}

/// What to do with presets or pipelines.
#[derive(Debug, Subcommand)]
pub enum CatalogueAction {
    /// List them with their descriptions
    List,
    /// Print the file of one
    Show {
        /// Its name
        name: String,
    },
    /// Check all of the configuration, or only these files
    Validate {
        /// The files
        files: Vec<PathBuf>,
    },
}
