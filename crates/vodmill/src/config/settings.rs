//! `vodmill.toml`: the daemon's own settings.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use tracing_subscriber::filter::LevelFilter;
use vodmill_pipeline::Sandbox;
use vodmill_store::s3::S3Settings;

use super::aws::AwsSettings;
use super::delivery::DeliverySettings;
use super::keys::{KeyServerSettings, KeysSettings};

/// The file `vodmill.toml`; every field may be left out, and so may the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Pieces of work at a time; 0 for as many as there are cores.
    pub workers: u32,
    /// Folder of the queue, the keys, scratch and kept renditions.
    pub state: String,
    /// Address of the local server, as `127.0.0.1:8480`; without one there is none.
    /// Who gets keys from it, `key_server` says.
    pub listen: Option<SocketAddr>,
    /// Seconds that running work gets to finish after the first SIGTERM.
    pub drain_seconds: u32,
    /// Disk space for encoded streams of finished jobs, kept so that a changed preset encodes only
    /// what it touches.
    pub keep_renditions: Bytes,
    /// Days for which a generation stays after another took its place, so that pages that are open
    /// play on; the daemon removes it then.
    pub old_generations_days: u32,
    /// Days after which the daemon removes what was begun and never finished: uploads, and scratch
    /// that has no owner.
    #[schemars(range(min = 1))]
    pub unfinished_days: u32,
    /// Memory that one child process may take.
    pub child_memory: Bytes,
    /// Seconds without progress after which a child process is killed and its work tried again.
    #[schemars(range(min = 1))]
    pub stall_seconds: u32,
    /// How closely child processes are confined to the files that they work on, with no network and
    /// no other program: `"if_possible"` as far as the kernel offers it (Landlock and seccomp),
    /// `"required"` wholly or not at all, `"off"`.
    #[schemars(extend("enum" = ["if_possible", "required", "off"]))]
    pub sandbox: SandboxName,
    /// Seconds for which a file in an inbox must not change before it is taken.
    pub settle_seconds: u32,
    /// Seconds from one listing of an inbox in a bucket to the next; with events it is a second
    /// look, in case one is lost.
    #[schemars(range(min = 1))]
    pub list_seconds: u32,
    /// URL of the PostgreSQL database that workers on several machines share, as
    /// `postgres://vodmill@db.example/vodmill`; the environment's VODMILL_QUEUE counts before it.
    /// Without one, the queue is a file in `state`.
    pub queue: Option<String>,
    /// Where these workers share what they encode: `s3://BUCKET/PREFIX`, or a folder that all of
    /// them see. Private: it holds clear media.
    pub work: Option<String>,
    /// Seconds after which the work of a worker that died is given to another.
    #[schemars(range(min = 5))]
    pub lease_seconds: u32,
    /// How buckets are reached.
    pub s3: S3Settings,
    /// What signs for the CDN, and what delivery costs.
    pub delivery: DeliverySettings,
    /// How AWS is reached, but for buckets.
    pub aws: AwsSettings,
    /// Where keys are kept.
    pub keys: KeysSettings,
    /// Who gets keys.
    pub key_server: KeyServerSettings,
    /// What is logged: a level, or levels of parts of vodmill, as `info,vodmill_queue=debug`.
    pub log: LogFilter,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            workers: 0,
            state: "state".to_owned(),
            listen: None,
            drain_seconds: 30,
            keep_renditions: Bytes(10 << 30),
            old_generations_days: 7,
            unfinished_days: 7,
            child_memory: Bytes(2 << 30),
            stall_seconds: 120,
            sandbox: SandboxName(Sandbox::IfPossible),
            settle_seconds: 2,
            list_seconds: 30,
            queue: None,
            work: None,
            lease_seconds: 60,
            s3: S3Settings::default(),
            delivery: DeliverySettings::default(),
            aws: AwsSettings::default(),
            keys: KeysSettings::default(),
            key_server: KeyServerSettings::default(),
            log: LogFilter("info".to_owned()),
        }
    }
}

/// A name of a [`Sandbox`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct SandboxName(pub Sandbox);

impl TryFrom<String> for SandboxName {
    type Error = String;

    fn try_from(text: String) -> Result<SandboxName, String> {
        text.parse().map(SandboxName)
    }
}

/// A level, or levels of parts of vodmill.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct LogFilter(pub String);

impl TryFrom<String> for LogFilter {
    type Error = String;

    fn try_from(text: String) -> Result<LogFilter, String> {
        text.parse()
    }
}

impl std::str::FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<LogFilter, String> {
        // A word alone would otherwise pass for the name of a part.
        let is_level = |part: &str| {
            let level = part.rsplit('=').next().unwrap_or(part);
            level.parse::<LevelFilter>().is_ok()
        };
        match text.split(',').all(is_level) {
            true => Ok(LogFilter(text.to_owned())),
            false => Err(format!(
                "{text:?} is not a level (error, warn, info, debug, trace), nor levels of parts as \
                 \"info,vodmill_queue=debug\""
            )),
        }
    }
}

/// A number of bytes: a number, or text with a unit, as `"500MB"` or `"10GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "BytesText")]
#[schemars(with = "BytesText")]
pub struct Bytes(pub u64);

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a size: a number of bytes, or text such as \"10GiB\"")]
enum BytesText {
    Number(u64),
    Text(String),
}

impl TryFrom<BytesText> for Bytes {
    type Error = String;

    fn try_from(text: BytesText) -> Result<Bytes, String> {
        match text {
            BytesText::Number(number) => Ok(Bytes(number)),
            BytesText::Text(text) => text.parse(),
        }
    }
}

const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl std::str::FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Bytes, String> {
        let unit = UNITS
            .iter()
            .find_map(|(unit, bytes)| text.strip_suffix(unit).map(|number| (number, *bytes)));
        let (number, unit) = unit.unwrap_or((text, 1));
        let bytes = number.trim().parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
        bytes.map(Bytes).ok_or_else(|| format!("{text:?} is not a size such as \"10GiB\""))
    }
}
