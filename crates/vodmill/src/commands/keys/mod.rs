//! `vodmill keys`: look at keys, take them out for players and validators that are offline, serve
//! them, and say who gets them.

pub mod serve;
mod tokens;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use vodmill_keys::{KeyStore, KeyUriTemplate, Kid};

use super::shared::key_store;
use crate::cli::{Keys, KeysAction, Span};
use crate::config::Config;
use crate::config::apart::Role;
use crate::exit::Usage;
use crate::output::{print, table};

/// `vodmill keys`.
pub fn run(config: &Config, arguments: &Keys) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        KeysAction::Serve { listen } => return serve::run(config, *listen),
        KeysAction::Token { asset, time, address } => {
            tokens::token(config, asset, time.0, *address)?;
            return Ok(ExitCode::SUCCESS);
        }
        KeysAction::Export { to, .. } => config.given_path("--to", Role::ExportedKeys, to)?,
        KeysAction::Credential { role, name } => {
            tokens::credential(config, *role, name)?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let Some(store) = key_store(config)? else {
        print("no keys yet")?;
        return Ok(ExitCode::SUCCESS);
    };
    match &arguments.action {
        KeysAction::Export { asset, to } => export(config, &*store, asset, to)?,
        KeysAction::Revoke { asset, generation, time: Span(time) } => {
            revoke(&*store, asset, generation.as_deref(), *time)?;
        }
        KeysAction::Rewrap => {
            let count = store.rewrap().context("wrap keys anew")?;
            print(&format!("{count} generations wrapped anew"))?;
        }
        _ => list(&*store)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn revoke(
    store: &dyn KeyStore,
    asset: &str,
    generation: Option<&str>,
    time: Duration,
) -> anyhow::Result<()> {
    let at = tokens::now() + time.as_secs();
    let mut rows = Vec::new();
    for set in store.list().context("list keys")? {
        if set.asset == asset && generation.is_none_or(|wanted| wanted == set.generation) {
            let expiry = store.expire(asset, &set.generation, at).context("revoke keys")?;
            rows.push(vec![set.asset, set.generation, left(expiry)]);
        }
    }
    if rows.is_empty() {
        return Err(Usage::error(format!(
            "no such keys of {asset}; `vodmill keys list` shows all"
        )));
    }
    Ok(print(&table(&rows))?)
}

/// From when on players get keys no more.
fn left(expiry: Option<u64>) -> String {
    let now = tokens::now();
    match expiry {
        None => String::new(),
        Some(at) if at <= now => "revoked".to_owned(),
        Some(at) => format!("expires in {} s", at - now),
    }
}

fn list(store: &dyn KeyStore) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for set in store.list().context("list keys")? {
        for (period, kid) in set.kids.iter().enumerate() {
            let period = period.to_string();
            let expiry = left(set.terms.expires);
            rows.push(vec![
                set.asset.clone(),
                set.generation.clone(),
                period,
                kid.to_string(),
                expiry,
            ]);
        }
    }
    Ok(print(&table(&rows))?)
}

fn export(config: &Config, store: &dyn KeyStore, asset: &str, to: &Path) -> anyhow::Result<()> {
    let sets = store.list().context("list keys")?;
    let kids: Vec<Kid> =
        sets.iter().filter(|set| set.asset == asset).flat_map(|set| set.kids.clone()).collect();
    if kids.is_empty() {
        return Err(Usage::error(format!("no keys of {asset}; `vodmill keys list` shows all")));
    }
    vodmill_secret::make_dir(to).with_context(|| format!("make {}", to.display()))?;
    let templates = templates(config);
    for kid in kids {
        let stored = store.get(&kid).context("read a key")?;
        let stored = stored.with_context(|| format!("key {kid} is gone"))?;
        for name in file_names(&templates, &kid) {
            write_key(&to.join(name), stored.key.expose())?;
        }
    }
    Ok(())
}

fn templates(config: &Config) -> Vec<KeyUriTemplate> {
    let pipelines = config.catalogue.pipelines.values();
    let encryptions = pipelines.filter_map(|pipeline| pipeline.encryption.as_ref());
    encryptions.filter_map(|one| KeyUriTemplate::parse(&one.key_uri).ok()).collect()
}

/// The names that URIs of this key end with: more than one only where pipelines differ in it.
fn file_names(templates: &[KeyUriTemplate], kid: &Kid) -> BTreeSet<String> {
    let names: BTreeSet<String> =
        templates.iter().map(|template| template.file_name(kid)).collect();
    if names.is_empty() { BTreeSet::from([kid.to_string()]) } else { names }
}

/// For its owner's eyes only.
fn write_key(path: &Path, key: &[u8; 16]) -> anyhow::Result<()> {
    // One of an earlier export may be open to others, or be a link.
    let _ = fs::remove_file(path);
    let written = vodmill_secret::create(path).and_then(|mut file| file.write_all(key));
    written.with_context(|| format!("write {}", path.display()))
}
