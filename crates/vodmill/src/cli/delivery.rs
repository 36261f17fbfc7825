//! The commands of delivery: keys, signatures and cost.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use vodmill_api::Role;
use vodmill_delivery::{AddressRange, Resource};

use super::values::{Moment, Share, Span};
use crate::config::settings::Bytes;

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
#[command(override_usage = "\
vodmill cost [OPTIONS] --views <N> --region <NAME> <ASSET|PIPELINE>
       vodmill cost --by-month [PIPELINE]")]
#[command(after_help = "\
Examples:
  vodmill cost talk --views 10000 --region eu-central-1
  vodmill cost talk --views 10000 --region eu-central-1 --share 1080p=60 --share 720p=30
  vodmill cost default --views 1000000 --region us-east-1 --months 24 --json
  vodmill cost --by-month                       what all pipelines have made in which month

The built-in prices are a dated example, to be replaced by your own: `prices` under [delivery] in
vodmill.toml, or --prices.")]
pub struct Cost {
    /// Name of an asset, or of a pipeline for all that it has published
    #[arg(value_name = "ASSET|PIPELINE", required_unless_present = "by_month")]
    pub what: Option<String>,
    /// Sum up what was published, by pipeline and month; without prices
    #[arg(long, conflicts_with_all = ["views", "region"])]
    pub by_month: bool,
    /// Views in all
    #[arg(long, value_name = "N", required_unless_present = "by_month")]
    pub views: Option<u64>,
    /// Region of the price file
    #[arg(long, value_name = "NAME", required_unless_present = "by_month")]
    pub region: Option<String>,
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
