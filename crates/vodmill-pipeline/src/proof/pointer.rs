//! The pointer of an asset: what it names is what is there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vodmill_hls::playlist::MultivariantPlaylist;
use vodmill_model::outcome::Reason;
use vodmill_model::{Failed, MediaError, Rejected};

use super::{Finding, is_asset};
use crate::file::{failed, sha256};
use crate::package::{ASSET, MULTIVARIANT};
use crate::receipt::{RECEIPT, Receipt};

/// The folder of the generation to prove, and the pointer to it when an asset was given.
pub(super) fn generation_of(package: &Path) -> Result<(PathBuf, Option<Value>), MediaError> {
    if package.join(RECEIPT).is_file() {
        return Ok((package.to_owned(), None));
    }
    if !is_asset(package) {
        let detail = format!("neither {ASSET} nor {RECEIPT} in {}", package.display());
        return Err(Rejected::new(Reason::NotAPackage, detail).into());
    }
    let path = package.join(ASSET);
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    let asset: Value = serde_json::from_slice(&bytes).map_err(failed("read", &path))?;
    let generation = asset.get("generation").and_then(Value::as_str);
    let good = generation.filter(|name| !name.contains(['/', '\\']) && !name.starts_with('.'));
    let generation = good
        .ok_or_else(|| Failed::new(format!("read {}", path.display()), "it names no generation"))?;
    Ok((package.join(generation), Some(asset)))
}

/// Holds the pointer against the receipt.
pub(super) fn compare(
    asset: &Path,
    pointer: &Value,
    receipt: &Receipt,
    receipt_sha256: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |object: &str, code: &str, detail: String| {
        findings.push(Finding { object: object.to_owned(), code: code.to_owned(), detail });
    };
    let claimed = pointer.pointer("/receipt/sha256").and_then(Value::as_str);
    if claimed != Some(receipt_sha256) {
        find(
            RECEIPT,
            "object_digest",
            format!("SHA-256 {receipt_sha256}, {ASSET} says {claimed:?}"),
        );
    }
    if let Some(expected) = &receipt.multivariant {
        match fs::read(asset.join(MULTIVARIANT)) {
            Err(error) => find(MULTIVARIANT, "object_missing", error.to_string()),
            Ok(bytes) if sha256(&bytes) != *expected => {
                find(
                    MULTIVARIANT,
                    "object_digest",
                    format!("SHA-256 {} instead of {expected}", sha256(&bytes)),
                );
            }
            Ok(bytes) => reach(&bytes, receipt, &mut find),
        }
    }
    findings
}

/// Everything that the multivariant playlist names is in the receipt.
fn reach(bytes: &[u8], receipt: &Receipt, find: &mut dyn FnMut(&str, &str, String)) {
    let playlist = match MultivariantPlaylist::parse(bytes) {
        Ok(parsed) => parsed.playlist,
        Err(error) => return find(MULTIVARIANT, "playlist_invalid", error.to_string()),
    };
    let variants = playlist.variants.iter().map(|variant| variant.uri.as_str());
    let i_frames = playlist.i_frames.iter().map(|stream| stream.uri.as_str());
    let audio = playlist.audio.iter().filter_map(|audio| audio.uri.as_deref());
    let subtitles = playlist.subtitles.iter().map(|subtitle| subtitle.uri.as_str());
    for uri in variants.chain(i_frames).chain(audio).chain(subtitles) {
        let name = uri.strip_prefix(&format!("{}/", receipt.generation));
        if !receipt.playlists.iter().any(|fact| Some(fact.name.as_str()) == name) {
            find(MULTIVARIANT, "unreachable", format!("{uri} is not in the receipt"));
        }
    }
}
