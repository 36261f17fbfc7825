//! Where keys are kept, and what they are wrapped with, as `[keys]` of `vodmill.toml` says.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use vodmill_aws::Access;
use vodmill_keys::kek;
use vodmill_keys::kek::kms::{Kms, Limits};
use vodmill_keys::{
    DatabaseKeyStore, DirectoryKeyStore, HttpKeyStore, HttpSettings, KeyEncryptionKey,
    KeyEncryptionKeys, KeyStore,
};
use vodmill_queue::Secrets;

use crate::config::Config;
use crate::config::keys::{KekSource, Provider};

/// The key store of a home by itself.
pub fn of_home(config: &Config) -> anyhow::Result<Arc<dyn KeyStore>> {
    if let Some(external) = external(config)? {
        return Ok(external);
    }
    let store = match keks(config)? {
        Some(keks) => DirectoryKeyStore::open_under(config.keys(), keks),
        None => DirectoryKeyStore::open(config.keys()),
    };
    Ok(Arc::new(store.context("open the key store")?))
}

/// The key store of all who work on a queue.
pub fn of_queue(config: &Config, queue: Arc<dyn Secrets>) -> anyhow::Result<Arc<dyn KeyStore>> {
    if let Some(external) = external(config)? {
        return Ok(external);
    }
    let store = match keks(config)? {
        Some(keks) => DatabaseKeyStore::open_under(queue, keks),
        None => {
            vodmill_secret::make_dir(&config.keys()).context("make the folder of the key")?;
            DatabaseKeyStore::open(queue, &config.keys().join("kek"))
        }
    };
    Ok(Arc::new(store.context("open the key store")?))
}

fn external(config: &Config) -> anyhow::Result<Option<Arc<dyn KeyStore>>> {
    let keys = &config.settings.keys;
    if keys.provider == Provider::Own {
        return Ok(None);
    }
    let file = |name: &Option<String>| name.as_ref().map(|name| config.home.join(name));
    let settings = HttpSettings {
        url: keys.url.clone().context("keys.url is not set")?,
        credential: file(&keys.credential).context("keys.credential is not set")?,
        authorities: file(&keys.authorities),
        timeout: Duration::from_secs(keys.timeout_seconds.into()),
    };
    let store = HttpKeyStore::open(&settings).context("reach the external key server")?;
    Ok(Some(Arc::new(store)))
}

/// The key-encryption keys; none where it is the usual file alone.
fn keks(config: &Config) -> anyhow::Result<Option<KeyEncryptionKeys>> {
    let keys = &config.settings.keys;
    let current = match (&keys.kek, keys.other_keks.is_empty()) {
        (None, true) => return Ok(None),
        (None, false) => kek::load(&config.keys().join("kek")).context("read the usual kek")?,
        (Some(source), _) => kek_from(config, source)?,
    };
    let others: anyhow::Result<Vec<_>> =
        keys.other_keks.iter().map(|source| kek_from(config, source)).collect();
    Ok(Some(KeyEncryptionKeys::new(current, others?)))
}

fn kek_from(config: &Config, source: &KekSource) -> anyhow::Result<KeyEncryptionKey> {
    match source {
        // A new one would be made where a disk is not mounted.
        KekSource::File(path) => Ok(kek::read(&config.home.join(path))?),
        KekSource::Environment(name) => {
            let text = std::env::var(name).map_err(|_| anyhow!("{name} is not in the environment"));
            hex(&text?, name)
        }
        KekSource::Kms(id) => from_kms(config, id),
    }
}

fn hex(text: &str, place: &str) -> anyhow::Result<KeyEncryptionKey> {
    let kek = KeyEncryptionKey::from_hex(text.trim());
    kek.with_context(|| format!("{place} does not hold 64 hex digits"))
}

/// The key that the service opens; a new one where none is there yet.
fn from_kms(config: &Config, id: &str) -> anyhow::Result<KeyEncryptionKey> {
    let s3 = config.settings.s3.clone();
    // A server of buckets is none of keys: its endpoint is not theirs.
    let access = Access {
        endpoint: None,
        region: s3.region,
        profile: s3.profile,
        credentials_file: s3.credentials_file,
    };
    let kms = Kms::open(&access, Limits { attempts: s3.attempts, ..Limits::default() })
        .context("reach KMS")?;
    let path = wrapped_kek(config);
    if !path.exists() {
        let new = kms.generate(id).context("make a key-encryption key")?;
        kek::keep_wrapped(&path, &new.wrapped)
            .with_context(|| format!("write {}", path.display()))?;
    }
    // Of two that begin at once, the first one's file counts.
    let wrapped = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let clear = kms.unwrap(id, &wrapped).context("open the key-encryption key")?;
    Ok(KeyEncryptionKey::from_bytes(clear))
}

fn wrapped_kek(config: &Config) -> PathBuf {
    config.keys().join("kek.kms")
}
