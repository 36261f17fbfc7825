//! What `vodmill sync` is told.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;
use vodmill_store::sync::Limit;

use super::values::CacheRule;

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
    /// Also clear media below private/ of packages: for buckets that nobody can read
    #[arg(long)]
    pub private: bool,
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
