//! `vodmill sign`: URLs and cookies that CloudFront lets in.

use std::process::ExitCode;

use anyhow::Context as _;
use vodmill_clock::{Clock as _, SystemClock};
use vodmill_delivery::{
    Cookie, Epoch, Policy, PolicyError, Resource, SignableUrl, Signer, encode_path,
};

use super::published::owner;
use crate::cli::{Moment, Sign, Span};
use crate::config::Config;
use crate::exit::Usage;
use crate::output::print;

/// `vodmill sign`.
pub fn run(config: &Config, arguments: &Sign) -> anyhow::Result<ExitCode> {
    let missing = "key_pair_id and private_key_file are not set under [delivery] in vodmill.toml";
    let target = Target::of(config, arguments)?;
    let signer = signer(config)?.ok_or_else(|| Usage::error(missing))?;
    let policy = policy(arguments, target.resource.clone())?;
    match arguments.cookies {
        true => print(&cookies(&signer, &policy, &target)?)?,
        false => {
            if target.url.as_str().contains(".m3u8") {
                eprintln!(
                    "vodmill: this URL is for the playlist alone; a player also needs what it \
                     names: use --cookies, or the playlists that the daemon serves under /v/"
                );
            }
            print(&signer.url(&target.url, &policy).map_err(|why| Usage::because(why.into()))?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is signed.
struct Target {
    url: SignableUrl,
    resource: Resource,
    /// Below what cookies are sent, for an asset.
    path: Option<String>,
}

impl Target {
    fn of(config: &Config, arguments: &Sign) -> anyhow::Result<Target> {
        let what = &arguments.what;
        let (url, all) = match what.contains("://") {
            true => (what.clone(), None),
            false => {
                let asset = asset_url(config, arguments)?;
                (format!("{asset}/index.m3u8"), Some(asset))
            }
        };
        let url: SignableUrl =
            url.parse().with_context(|| format!("sign {what}")).map_err(Usage::because)?;
        let whole = |asset: &str| format!("{asset}/*").parse::<Resource>();
        let resource = match (&arguments.wildcard, &all) {
            (Some(Some(given)), _) => given.clone(),
            (Some(None), None) => {
                let message = "--wildcard needs a pattern where a URL is signed";
                return Err(Usage::error(message));
            }
            (Some(None), Some(asset)) => whole(asset)?,
            (None, Some(asset)) if arguments.cookies => whole(asset)?,
            (None, _) => url.clone().into(),
        };
        let path = all.as_deref().and_then(|asset| asset.splitn(4, '/').nth(3).map(str::to_owned));
        Ok(Target { url, resource, path })
    }
}

/// Where an asset is at the CDN.
fn asset_url(config: &Config, arguments: &Sign) -> anyhow::Result<String> {
    let (name, pipeline) = owner(config, arguments.pipeline.as_deref(), &arguments.what)?;
    let no_base = || {
        Usage::error(format!("pipeline {name} has no base_url under [delivery]: give a whole URL"))
    };
    let delivery = pipeline.delivery.as_ref().ok_or_else(no_base)?;
    Ok(format!("{}/{}", delivery.base_url, encode_path(&arguments.what)))
}

fn policy(arguments: &Sign, resource: Resource) -> anyhow::Result<Policy> {
    let now = SystemClock.unix_seconds();
    let expires = match (arguments.expires, arguments.duration) {
        (Some(Moment(moment)), _) => moment,
        (None, Some(Span(time))) => Epoch(now.saturating_add(time.as_secs())),
        (None, None) => return Err(Usage::error("give --for or --expires")),
    };
    if expires <= Epoch(now) {
        return Err(Usage::error("it would have ended already"));
    }
    let made = || -> Result<Policy, PolicyError> {
        let policy = Policy::new(resource, expires)?;
        let policy = match arguments.from {
            Some(Moment(from)) => policy.starting(from)?,
            None => policy,
        };
        Ok(match arguments.address {
            Some(address) => policy.only_from(address),
            None => policy,
        })
    };
    made().map_err(|why| Usage::because(why.into()))
}

/// A page adds `Domain` where it is not the CDN itself that sets them.
fn cookies(signer: &Signer, policy: &Policy, target: &Target) -> anyhow::Result<String> {
    if !policy.covers(&target.url) {
        let (resource, url) = (policy.resource(), &target.url);
        return Err(Usage::error(format!("{resource} does not cover {url}")));
    }
    let path = target.path.as_deref().map_or("/".to_owned(), |path| format!("/{path}/"));
    let line = |Cookie { name, value }: &Cookie| {
        format!("Set-Cookie: {name}={value}; Path={path}; Secure; HttpOnly\n")
    };
    Ok(signer.cookies(policy)?.iter().map(line).collect())
}

/// What signs for the CDN, where that is configured.
///
/// # Errors
/// A key that cannot be read or used.
pub fn signer(config: &Config) -> anyhow::Result<Option<Signer>> {
    let delivery = &config.settings.delivery;
    let (Some(id), Some(file)) = (&delivery.key_pair_id, &delivery.private_key_file) else {
        return Ok(None);
    };
    let path = config.home.join(file);
    let pem = vodmill_secret::read(&path).context("the private key of the CDN")?;
    let signer = Signer::new(id, &pem, delivery.hash.into());
    Ok(Some(signer.with_context(|| format!("use private key {}", path.display()))?))
}
