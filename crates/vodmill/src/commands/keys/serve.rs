//! `vodmill keys serve`, and the key server within the daemon.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use vodmill_api::token::jwt::Expected;
use vodmill_api::{KeyServer, KeySettings, Memory, Rate, Server, Viewers, is_host};
use vodmill_keys::KeyStore;
use vodmill_pipeline::Stop;

use super::tokens;
use crate::commands::shared::served_key_store;
use crate::config::Config;
use crate::config::keys::{KeyServerSettings, ViewerKind};
use crate::exit::Usage;
use crate::signals;

/// `vodmill keys serve`.
pub fn run(config: &Config, listen: Option<SocketAddr>) -> anyhow::Result<ExitCode> {
    let stop = Arc::new(Stop::default());
    signals::watch(&stop, Duration::ZERO)?;
    let address = listen.unwrap_or(config.settings.key_server.listen);
    let store = served_key_store(config)?;
    let server = Server::start_keys(key_server(config, store, address)?, address)?;
    tracing::info!(address = %server.address(), "serving keys");
    while !stop.must_park() {
        stop.wait(LOOK);
    }
    server.stop();
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Between two looks at whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// The key server at this address.
pub fn key_server(
    config: &Config,
    store: Arc<dyn KeyStore>,
    address: SocketAddr,
) -> anyhow::Result<KeyServer> {
    let settings = &config.settings.key_server;
    let anyone = settings.viewers == ViewerKind::Anyone;
    if anyone && !address.ip().is_loopback() && !settings.open {
        return Err(Usage::error(format!(
            "whoever reaches {address} would get every key: set key_server.viewers in vodmill.toml, \
             or key_server.open = true if that is right"
        )));
    }
    if anyone && !address.ip().is_loopback() {
        tracing::warn!(%address, "keys are served to everyone who can connect");
    }
    KeyServer::new(store, key_settings(config, settings, address)?).context("start the key server")
}

fn key_settings(
    config: &Config,
    settings: &KeyServerSettings,
    address: SocketAddr,
) -> anyhow::Result<KeySettings> {
    let viewers = match settings.viewers {
        ViewerKind::Anyone => Viewers::Anyone,
        ViewerKind::Token => Viewers::Tokens(tokens::secrets_file(config)?),
        ViewerKind::Jwt => {
            let jwks = settings.jwks.as_ref().context("key_server.jwks is not set")?;
            let (issuer, audience) = (settings.issuer.clone(), settings.audience.clone());
            Viewers::Jwt(config.home.join(jwks), Expected { issuer, audience })
        }
    };
    let hosts = names(config, &settings.hosts, address);
    let credentials = tokens::credentials_path(config);
    let proxies: Result<_, String> = settings.proxies.iter().map(|text| text.parse()).collect();
    let seconds = |count: u32| Duration::from_secs(count.into());
    Ok(KeySettings {
        viewers,
        cookie: settings.cookie.clone(),
        query: settings.query.clone(),
        hosts,
        origins: settings.origins.clone(),
        // A file that was named has to be there.
        credentials: (settings.credentials.is_some() || credentials.exists())
            .then_some(credentials),
        proxies: proxies.map_err(anyhow::Error::msg)?,
        address_rate: Rate { per_second: settings.address_rate, burst: settings.address_burst },
        viewer_rate: Rate { per_second: settings.viewer_rate, burst: settings.viewer_burst },
        memory: Memory {
            fresh: seconds(settings.fresh_seconds),
            keep: seconds(settings.keep_seconds),
            ..Memory::default()
        },
        ..KeySettings::default()
    })
}

/// The names of this server. On a loopback address also those by which pipelines send players to it
/// or to what stands before it, since proxies pass them on.
fn names(config: &Config, told: &[String], address: SocketAddr) -> Vec<String> {
    let mut names = told.to_vec();
    if address.ip().to_canonical().is_loopback() {
        for pipeline in config.catalogue.pipelines.values() {
            let keys = pipeline.encryption.as_ref().map(|encryption| &encryption.key_uri);
            let delivery = pipeline.delivery.as_ref().map(|delivery| &delivery.base_url);
            let urls = keys.into_iter().chain(delivery);
            names.extend(urls.filter_map(|url| host(url)).filter(|host| is_host(host)));
        }
    }
    names
}

/// The host of a URL, without its port.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let end = authority.rfind(':').filter(|end| !authority[*end..].contains(']'));
    Some(authority[..end.unwrap_or(authority.len())].to_ascii_lowercase())
}
