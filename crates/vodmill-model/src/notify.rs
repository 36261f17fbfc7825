//! Who is told of a pipeline's jobs, and whose caches hold its packages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Somebody who is told what becomes of a pipeline's jobs: `[[notify]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// Its name in lists and logs: lower-case letters, digits and hyphens; each once in a pipeline.
    pub name: String,
    /// Who is told: a URL that takes a POST, as `https://site.example/hooks/video`, or the ARN of an
    /// SNS topic.
    pub to: String,
    /// What it is told of; everything unless said.
    #[serde(default = "all_events")]
    pub events: Vec<NotifyEvent>,
    /// File with the secret that signs what a URL is sent, as `whsec_` and base64 of 24 to 64
    /// bytes; a path from the home. With two lines, both sign: for changing the secret.
    #[serde(default)]
    pub secret_file: String,
    /// Variable of the environment that has the secret instead.
    #[serde(default)]
    pub secret_env: String,
    /// Seconds that one attempt may take.
    #[serde(default = "ten_seconds")]
    pub timeout_seconds: u32,
    /// Hours after which what could not be delivered becomes a dead letter.
    #[serde(default = "three_days")]
    pub give_up_hours: u32,
}

fn all_events() -> Vec<NotifyEvent> {
    NotifyEvent::ALL.to_vec()
}

fn ten_seconds() -> u32 {
    10
}

fn three_days() -> u32 {
    72
}

impl Notify {
    /// Whether it is an SNS topic, and not a URL.
    pub fn is_topic(&self) -> bool {
        self.to.starts_with("arn:")
    }
}

/// What somebody can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyEvent {
    /// Work on a job has begun.
    Progressing,
    /// A job has ended well.
    Published,
    /// A job has ended: the original is at fault.
    Rejected,
    /// A job has ended: something else is at fault.
    Failed,
    /// What was published is less than what was delivered, or something else should be known.
    Warning,
}

impl NotifyEvent {
    /// All of them.
    pub const ALL: [NotifyEvent; 5] = [
        NotifyEvent::Progressing,
        NotifyEvent::Published,
        NotifyEvent::Rejected,
        NotifyEvent::Failed,
        NotifyEvent::Warning,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            NotifyEvent::Progressing => "progressing",
            NotifyEvent::Published => "published",
            NotifyEvent::Rejected => "rejected",
            NotifyEvent::Failed => "failed",
            NotifyEvent::Warning => "warning",
        }
    }
}

/// The CloudFront distribution whose caches drop the pointer of an asset that is published again:
/// `[invalidation]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invalidation {
    /// Its id, as `E2QWRUHAPOMQZL`.
    pub distribution: String,
    /// Where the destination is in the distribution's URLs, as `/video`; at their root when empty.
    #[serde(default)]
    pub path: String,
}

impl Invalidation {
    /// The path in URLs of an object of the destination. Names of assets and objects need no
    /// escapes.
    pub fn path_of(&self, object: &str) -> String {
        format!("{}/{object}", self.path.trim_end_matches('/'))
    }
}
