//! The commands for what grows old, and for what was another home's.

use clap::Args;
use vodmill_store::s3::Tier;

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
    /// Where to look, and nowhere else: a folder or s3://BUCKET/PREFIX [default: where pipelines
    /// publish, the state folder, and where workers keep what they encode]
    #[arg(long = "in", value_name = "PLACE")]
    pub place: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill restore talk                          the original of asset talk
  vodmill restore s3://media/done/talk.mov --tier bulk --days 3 --wait

Running it again says how far it is. With --tier it then comes faster, if that is faster;
what is back stays for --days from now on.")]
pub struct Restore {
    /// An asset, or an object as s3://BUCKET/KEY
    #[arg(value_name = "ASSET|OBJECT")]
    pub what: String,
    /// Days for which it can be read then [default: 7]; in INTELLIGENT_TIERING it stays
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: Option<u32>,
    /// How fast, and how dear: bulk, standard or expedited [default: standard]
    #[arg(long, value_name = "TIER")]
    pub tier: Option<Tier>,
    /// Wait until it can be read, for up to three days
    #[arg(long)]
    pub wait: bool,
    /// Where the asset is published: a folder or s3://BUCKET/PREFIX [default: where it was last]
    #[arg(long = "in", value_name = "PLACE")]
    pub place: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `lifecycle`.
#[derive(Debug, Args)]
pub struct Lifecycle {
    /// The pipeline [default: the only one, or the one named default]
    pub pipeline: Option<String>,
    /// Give the bucket these rules; the rules of others in it stay
    #[arg(long)]
    pub apply: bool,
    /// Also mark media that was published before the pipeline had [lifecycle]: two requests for each
    /// object
    #[arg(long, requires = "apply")]
    pub mark: bool,
}

/// `adopt`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vodmill adopt /srv/video
  vodmill adopt s3://media/tv

A destination belongs to the home that published there first. Adopt one when that home is gone, or
has lost state/names.sqlite: its assets then go on with originals of the same name. Never while
another vodmill still publishes there.")]
pub struct Adopt {
    /// A destination of a pipeline: a folder or s3://BUCKET/PREFIX
    pub place: String,
}
