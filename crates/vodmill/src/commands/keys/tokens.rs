//! Access to the key server: tokens for viewers, credentials for segmenters and operators.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use vodmill_api::token::Scope;
use vodmill_api::token::own::{Order, Secrets};
use vodmill_api::{Credentials, Role};
use vodmill_clock::{Clock as _, SystemClock};
use vodmill_keys::random;

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
        write_new(&path, &line).with_context(|| format!("write {}", path.display()))?;
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
    replace(&path, &text).with_context(|| format!("write {}", path.display()))?;
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

/// Writes a private file under a hidden name first, so that no reader sees half of it.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let part = hidden(path, text)?;
    fs::rename(&part, path)
}

/// As [`replace`], unless another process was first.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let part = hidden(path, text)?;
    let linked = fs::hard_link(&part, path);
    fs::remove_file(&part)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn hidden(path: &Path, text: &str) -> std::io::Result<PathBuf> {
    vodmill_secret::make_dir(path.parent().unwrap_or(Path::new(".")))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    // Of a process that had this id before.
    let _ = fs::remove_file(&part);
    let mut file = vodmill_secret::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(part)
}
