//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::commands::{CacheRule, Moment, Share, Span};
use crate::config::settings::{Bytes, LogFilter};
use clap::{Args, Parser, Subcommand, ValueEnum};
use vodmill_api::Role;
use vodmill_delivery::{AddressRange, Resource};
use vodmill_store::sync::Limit;

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
    /// Remove generations that were replaced long enough ago
    ///
    /// What is published stays, and so does what is under way. The daemon does the same once a day,
    /// by `old_generations_days` of vodmill.toml.
    Gc(Gc),
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
    /// Media work in a process of its own; started by vodmill itself
    #[command(hide = true)]
    Child,
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

/// `outbox`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill outbox                       what was delivered lately, and what is to be
  vodmill outbox --dead                dead letters: what was given up, and why
  vodmill outbox retry --target films/site
                                       the receiver is back: its dead letters once more")]
pub struct Outbox {
    /// Print JSON, with what is told
    #[arg(long, global = true)]
    pub json: bool,
    /// Only dead letters
    #[arg(long)]
    pub dead: bool,
    /// What to do; list without it.
    #[command(subcommand)]
    pub action: Option<OutboxAction>,
}

/// What to do with the outbox.
#[derive(Debug, Subcommand)]
pub enum OutboxAction {
    /// Take dead letters up again, with all the time of new ones
    Retry {
        /// The number of one
        number: Option<i64>,
        /// All of this target, as `films/site`
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
        /// All there are
        #[arg(long)]
        all: bool,
    },
}

/// `invalidations`.
#[derive(Debug, Args)]
pub struct Invalidations {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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

/// `sync`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill sync published s3://media/tv --dry-run
  vodmill sync published s3://media/tv --delete --exclude '*.tmp'
  vodmill sync site s3://www --cache-control '*.html=max-age=60' --endpoint https://s3.example.org

A file is read only where its times or its object say that it may have changed. Segments go up
before the playlists that name them; nothing is deleted before all is there. Stopped at any moment,
the same command goes on from there. Patterns: `*` and `?` within a part of a path, `**` across
parts; without a `/` a pattern is looked for in every part.

Exit codes: 0 done; 1 something failed; 2 wrong usage; 3 more would be deleted than is allowed.")]
pub struct Sync {
    /// The folder
    pub dir: PathBuf,
    /// The destination, as s3://BUCKET/PREFIX
    #[arg(value_name = "S3_URL")]
    pub to: String,
    /// Also delete objects that have no file
    #[arg(long)]
    pub delete: bool,
    /// Delete nothing at all where it would be more objects than this: a number, or a percentage
    /// of those that are there
    #[arg(long, value_name = "N|P%", default_value = "25%", requires = "delete")]
    pub max_delete: Limit,
    /// Print what would be done, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Read every file and compare it, whatever is remembered of it
    #[arg(long)]
    pub checksum: bool,
    /// Leave out what matches, on both sides
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Of what is left out, take what matches
    #[arg(long, value_name = "PATTERN", requires = "exclude")]
    pub include: Vec<String>,
    /// `Cache-Control` of the files that match; the first that fits counts, an empty value is none
    /// [default: packages of vodmill as they need it, nothing for others]
    #[arg(long, value_name = "PATTERN=VALUE")]
    pub cache_control: Vec<CacheRule>,
    /// Files in work at a time
    #[arg(long, value_name = "N", default_value = "16")]
    pub jobs: NonZeroU16,
    /// Remember uploads in this file [default: one for each folder and destination, below
    /// ~/.cache/vodmill/sync]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// URL of an S3-compatible server [default: AWS]
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    pub endpoint: Option<String>,
    /// Region of the bucket [default: as the environment or the profile says]
    #[arg(long)]
    pub region: Option<String>,
    /// Profile to take credentials from
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Storage class of new objects, such as STANDARD_IA
    #[arg(long, value_name = "CLASS")]
    pub storage_class: Option<String>,
    /// List what is done
    #[arg(short, long)]
    pub verbose: bool,
}

/// `jobs`.
#[derive(Debug, Args)]
#[command(after_help = "An ID can be shortened as long as it is clear which job is meant.")]
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

/// `sign`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill sign talk --for 6h --cookies          cookies for all of asset talk
  vodmill sign https://d1.cloudfront.net/talk/g0001/mp4/phone.mp4 --for 30m
  vodmill sign https://d1.cloudfront.net/talk/index.m3u8 --for 6h --cookies \\
      --wildcard 'https://d1.cloudfront.net/talk/*' --address 192.0.2.0/24

Needs key_pair_id and private_key_file under [delivery] in vodmill.toml, and for an asset base_url
under [delivery] in its pipeline. Times are seconds since 1970 or as 2026-01-31T12:00:00Z.")]
pub struct Sign {
    /// A whole URL, or the name of an asset
    #[arg(value_name = "URL|ASSET")]
    pub what: String,
    /// The asset's pipeline [default: the one that has published it]
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// How long it holds: 90s, 30m, 6h or 7d
    #[arg(long = "for", value_name = "TIME", required_unless_present = "expires")]
    pub duration: Option<Span>,
    /// When it ends
    #[arg(long, value_name = "TIME", conflicts_with = "duration")]
    pub expires: Option<Moment>,
    /// When it begins to hold [default: at once]
    #[arg(long, value_name = "TIME")]
    pub from: Option<Moment>,
    /// Let in only this IPv4 address or range
    #[arg(long, value_name = "ADDR[/BITS]")]
    pub address: Option<AddressRange>,
    /// Let in to all URLs that fit: `*` is any run of characters, `?` any one. For an asset without
    /// a pattern: all of it
    #[arg(long, value_name = "PATTERN", num_args = 0..=1, require_equals = false)]
    pub wildcard: Option<Option<Resource>>,
    /// Print Set-Cookie lines instead of a URL; for an asset they are for all of it
    #[arg(long)]
    pub cookies: bool,
}

/// `cost`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill cost talk --views 10000 --region eu-central-1
  vodmill cost talk --views 10000 --region eu-central-1 --share 1080p=60 --share 720p=30
  vodmill cost default --views 1000000 --region us-east-1 --months 24 --json

The built-in prices are a dated example, to be replaced by your own: `prices` under [delivery] in
vodmill.toml, or --prices.")]
pub struct Cost {
    /// Name of an asset, or of a pipeline for all that it has published
    #[arg(value_name = "ASSET|PIPELINE")]
    pub what: String,
    /// Views in all
    #[arg(long, value_name = "N")]
    pub views: u64,
    /// Region of the price file
    #[arg(long, value_name = "NAME")]
    pub region: String,
    /// Months that it is kept, over which the views are spread evenly
    #[arg(long, value_name = "N", default_value = "12", value_parser = clap::value_parser!(u32).range(1..=1200))]
    pub months: u32,
    /// How much of a programme a view takes, in per cent
    #[arg(long, value_name = "P", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub watched: u32,
    /// Views that play a rung, in per cent; what is left goes evenly to those not named
    #[arg(long, value_name = "RUNG=P")]
    pub share: Vec<Share>,
    /// What is transferred in a month besides, as 5TiB: these views then start at its price
    #[arg(long, value_name = "SIZE", default_value = "0")]
    pub other_transfer: Bytes,
    /// The asset's pipeline [default: the one that has published it]
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// Price file [default: `prices` of vodmill.toml, or the built-in example]
    #[arg(long, value_name = "FILE")]
    pub prices: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `keys`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill keys serve                            answer players, as [key_server] of vodmill.toml says
  vodmill keys token --asset talk --for 1h      a token to try that with
  vodmill keys revoke talk --generation g1      players get these keys no more
  vodmill keys credential operator ada          a secret for the operators' part of the key server")]
pub struct Keys {
    /// What to do.
    #[command(subcommand)]
    pub action: KeysAction,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum KeysAction {
    /// List assets, generations and the ids of their keys; no key is shown
    List,
    /// Write the raw 16-byte keys of an asset, one file each, named by the last part of its URI
    Export {
        /// The asset
        asset: String,
        /// Folder to write to; it is made if it is not there
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Serve keys to players until stopped
    Serve {
        /// Listen here [default: `listen` of [key_server], 127.0.0.1:8481]
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// Print a token that opens an asset's keys; the first one makes the secret for it
    Token {
        /// The asset, or folder/* for all below, or * for every one
        #[arg(long)]
        asset: String,
        /// How long it is good, as 90s, 30m, 12h or 7d
        #[arg(long = "for", value_name = "TIME", default_value = "1h")]
        time: Span,
        /// Good at this address only
        #[arg(long, value_name = "IP")]
        address: Option<IpAddr>,
    },
    /// Give an asset's keys to players no more; the keys stay in the store
    Revoke {
        /// The asset
        asset: String,
        /// Only this generation [default: all]
        #[arg(long)]
        generation: Option<String>,
        /// Not at once, but then, as 90s, 30m, 12h or 7d from now
        #[arg(long = "in", value_name = "TIME", default_value = "0s")]
        time: Span,
    },
    /// Wrap all keys under `kek` that are wrapped under one of `other_keks`
    Rewrap,
    /// Print a new secret for a segmenter or an operator, and let it in
    Credential {
        /// segmenter: makes and reads keys; operator: lists, rotates and revokes
        role: Role,
        /// Who has it, for the log
        name: String,
    },
}

/// A time as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let bad = || format!("{text:?} is not a time such as 90s, 30m, 12h or 7d");
        let unit = text.chars().next_back().ok_or_else(bad)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(bad()),
        };
        let count: u32 = text[..text.len() - 1].parse().map_err(|_| bad())?;
        Ok(Span(Duration::from_secs(u64::from(count) * seconds)))
    }
}

/// `gc`.
#[derive(Debug, Args)]
pub struct Gc {
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Days for which a generation is kept after it was replaced [default: `old_generations_days` of
    /// vodmill.toml]
    #[arg(long, value_name = "DAYS")]
    pub keep_days: Option<u32>,
    /// Where to look: a folder or s3://BUCKET/PREFIX [default: where pipelines publish]
    #[arg(long = "in", value_name = "PLACE")]
    pub place: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rekey`.
#[derive(Debug, Args)]
pub struct Rekey {
    /// The asset's name, as `vodmill keys list` shows it
    pub asset: String,
    /// Where it is published: a folder or s3://BUCKET/PREFIX [default: where pipelines publish]
    #[arg(long = "in", value_name = "PLACE")]
    pub place: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
