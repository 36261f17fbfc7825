//! The pointer of an asset: what it names is what is there.

use std::fs;
use std::path::{Path, PathBuf};

use vodmill_manifest::hls::MultivariantPlaylist;
use vodmill_model::outcome::Reason;
use vodmill_model::{AssetDocument, Failed, GenerationName, MediaError, Rejected};

use super::Finding;
use crate::file::{failed, sha256};
use crate::package::{ASSET, MULTIVARIANT, describe};
use crate::receipt::{RECEIPT, Receipt};

/// What was found where a package's pointer should be.
pub(super) enum Pointer {
    /// One generation was given by itself.
    NotLookedFor,
    /// The description of the asset.
    Description(Box<AssetDocument>),
    /// None, though there are generations.
    Missing,
}

/// The folder of the generation to prove, and the pointer to it.
pub(super) fn generation_of(package: &Path) -> Result<(PathBuf, Pointer), MediaError> {
    if package.join(RECEIPT).is_file() {
        return Ok((package.to_owned(), Pointer::NotLookedFor));
    }
    let path = package.join(ASSET);
    if !path.is_file() {
        return match newest_generation(package)? {
            Some(newest) => Ok((newest, Pointer::Missing)),
            None => Err(not_a_package(package).into()),
        };
    }
    let bytes = fs::read(&path).map_err(failed("read", &path))?;
    let document = AssetDocument::read(&bytes)
        .map_err(|error| Failed::from_error(format!("read {}", path.display()), &error))?;
    let generation = package.join(document.asset().generation.as_str());
    Ok((generation, Pointer::Description(Box::new(document))))
}

fn newest_generation(package: &Path) -> Result<Option<PathBuf>, Failed> {
    if !package.is_dir() {
        return Ok(None);
    }
    let mut newest = None;
    for entry in fs::read_dir(package).map_err(failed("list", package))? {
        let folder = entry.map_err(failed("list", package))?.path();
        let name = folder.file_name().and_then(|name| GenerationName::parse(name.to_str()?));
        let number = name.map(|name| name.number());
        if folder.join(RECEIPT).is_file() {
            newest = newest.max(Some((number, folder)));
        }
    }
    Ok(newest.map(|(_, folder)| folder))
}

fn not_a_package(package: &Path) -> Rejected {
    let detail = format!("neither {ASSET} nor {RECEIPT} in {}", package.display());
    Rejected::new(Reason::NotAPackage, detail)
}

/// Holds the pointer against the receipt.
pub(super) fn compare(
    asset: &Path,
    pointer: &Pointer,
    receipt: &Receipt,
    receipt_sha256: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |object: &str, code: &str, detail: String| {
        findings.push(Finding { object: object.to_owned(), code: code.to_owned(), detail });
    };
    match pointer {
        Pointer::NotLookedFor => return findings,
        Pointer::Missing => find(ASSET, "object_missing", "it is not there".to_owned()),
        Pointer::Description(document) => {
            let claimed = document.receipt.as_ref();
            if claimed != Some(&describe::reference(receipt, receipt_sha256)) {
                let claimed = claimed.map_or("none", |claimed| &claimed.sha256);
                let detail = format!("SHA-256 {receipt_sha256}, {ASSET} says {claimed}");
                find(RECEIPT, "object_digest", detail);
            }
            let digest = document.digest();
            if digest != receipt.description {
                let detail = format!("SHA-256 {digest} instead of {}", receipt.description);
                find(ASSET, "object_digest", detail);
            }
        }
    }
    match &receipt.multivariant {
        Some(expected) => compare_playlist(asset, receipt, expected, &mut find),
        None if asset.join(MULTIVARIANT).exists() => {
            let why = "the package has no ladder: players are led to another generation";
            find(MULTIVARIANT, "object_unknown", why.to_owned());
        }
        None => {}
    }
    findings
}

fn compare_playlist(
    asset: &Path,
    receipt: &Receipt,
    expected: &str,
    find: &mut dyn FnMut(&str, &str, String),
) {
    match fs::read(asset.join(MULTIVARIANT)) {
        Err(error) => find(MULTIVARIANT, "object_missing", error.to_string()),
        Ok(bytes) if sha256(&bytes) != *expected => {
            let detail = format!("SHA-256 {} instead of {expected}", sha256(&bytes));
            find(MULTIVARIANT, "object_digest", detail);
        }
        Ok(bytes) => reach(&bytes, receipt, find),
    }
}

/// Everything that the multivariant playlist names is in the receipt.
fn reach(bytes: &[u8], receipt: &Receipt, find: &mut dyn FnMut(&str, &str, String)) {
    let playlist = match MultivariantPlaylist::read(bytes) {
        Ok(playlist) => playlist,
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
