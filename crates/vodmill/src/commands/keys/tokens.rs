//! Access to the key server: tokens for viewers, credentials for segmenters and operators.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use vodmill_api::token::Scope;
use vodmill_api::token::own::{Order, Secrets};
use vodmill_api::{Credentials, Role};
use vodmill_clock::{Clock as _, SystemClock};
use vodmill_keys::{private_file, random};

use crate::config::Config;
use crate::exit::Usage;
use crate::output::print;

/// `vodmill keys token`.
pub fn token(
    config: &Config,
    asset: &str,
    time: Duration,
    address: Option<IpAddr>,
) -> anyhow::Result<()> {
    let Some(scope) = Scope::parse(asset) else {
        return Err(Usage::error(format!("{asset:?} is neither an asset, nor folder/*, nor *")));
    };
    let file = secrets_file(config)?;
    let text = vodmill_secret::read(&file)?;
    let secrets = Secrets::parse(&text).map_err(anyhow::Error::msg);
    let secrets = secrets.with_context(|| file.display().to_string())?;
    let expires = now() + time.as_secs();
    Ok(print(&secrets.mint(&Order { scope, expires, address }))?)
}

/// The file with the secrets of tokens, made with a new one where it is not there.
pub fn secrets_file(config: &Config) -> anyhow::Result<PathBuf> {
    let named = config.settings.key_server.tokens.as_ref();
    let path = named.map_or_else(|| config.keys().join("tokens"), |name| config.home.join(name));
    if !path.exists() {
        let line = format!("t{} {}\n", now(), secret()?);
        make_folder(&path)
            .and_then(|()| private_file::create_once(&path, line.as_bytes()))
            .with_context(|| format!("write {}", path.display()))?;
    }
    Ok(path)
}

/// `vodmill keys credential`.
pub fn credential(config: &Config, role: Role, name: &str) -> anyhow::Result<()> {
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '#') {
        return Err(Usage::error("a name has no blanks"));
    }
    let path = credentials_path(config);
    let secret = secret()?;
    let there = match vodmill_secret::read(&path) {
        Err(error) if error.is_not_found() => None,
        there => Some(there?),
    };
    let there = there.as_ref().map_or("", |there| there.as_str());
    let text = format!("{there}{}", Credentials::line(role, name, &secret));
    Credentials::parse(&text).map_err(anyhow::Error::msg).context("credentials")?;
    make_folder(&path)
        .and_then(|()| private_file::replace(&path, text.as_bytes()))
        .with_context(|| format!("write {}", path.display()))?;
    Ok(print(&secret)?)
}

/// The file with the hashes of credentials.
pub fn credentials_path(config: &Config) -> PathBuf {
    let named = config.settings.key_server.credentials.as_ref();
    named.map_or_else(|| config.keys().join("credentials"), |name| config.home.join(name))
}

/// Unix seconds.
pub fn now() -> u64 {
    SystemClock.unix_seconds()
}

/// 32 random bytes, in hex.
fn secret() -> anyhow::Result<String> {
    let bytes = random::bytes::<32>().context("make a secret")?;
    Ok(hex::encode(bytes))
}

/// The folder of a file, for its owner alone.
fn make_folder(path: &Path) -> std::io::Result<()> {
    vodmill_secret::make_dir(path.parent().unwrap_or(Path::new(".")))
}
