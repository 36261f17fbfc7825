//! What is on its way out.

use clap::{Args, Subcommand};

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
