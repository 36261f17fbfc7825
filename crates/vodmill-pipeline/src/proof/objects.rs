//! Every object that no other proof reads: there, of its size, of its digest, and none too many.

use std::collections::BTreeSet;

use super::Prover;
use crate::receipt::RECEIPT;

/// Prefix, within a generation, of what is not for everybody.
const PRIVATE: &str = "private/";

pub(super) fn prove(prover: &Prover<'_>) {
    let claimed: BTreeSet<&str> =
        prover.receipt.objects.iter().map(|object| object.name.as_str()).collect();
    for name in &claimed {
        // Segments and playlists are read, hashed and looked into by their playlist's proof.
        if !name.starts_with("hls/") {
            prover.measure(name);
            prove_private(prover, name);
        }
    }
    for name in present(prover) {
        if name != RECEIPT && !claimed.contains(name.as_str()) {
            prover.find(&name, "object_unknown", "the receipt does not list it");
        }
    }
    for name in claimed.iter().filter(|name| name.starts_with("hls/")) {
        if !prover.root.join(name).is_file() {
            prover.find(name, "object_missing", "it is not there");
        }
    }
}

/// In an encrypted package, media outside the HLS part is clear, and so must be under the private
/// prefix; and no key lies about.
fn prove_private(prover: &Prover<'_>, name: &str) {
    if !prover.receipt.encrypted {
        return;
    }
    let is_media = [".mp4", ".ts", ".m4s"].iter().any(|extension| name.ends_with(extension));
    if is_media && !name.starts_with(PRIVATE) {
        prover.find(name, "clear_media", "clear media outside the private prefix");
    }
    let claim = prover.claimed(name).filter(|object| object.bytes == 16);
    let bytes = claim.and_then(|object| std::fs::read(prover.root.join(&object.name)).ok());
    if bytes.is_some_and(|bytes| prover.keys.holds(&bytes)) {
        prover.find(name, "key_published", "it is the key of this package");
    }
}

/// Every file of the generation, by its name from there.
fn present(prover: &Prover<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(prover.root.join(&folder)) else { continue };
        for entry in entries.flatten() {
            let name = format!("{folder}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() { folders.push(format!("{name}/")) } else { names.push(name) }
        }
    }
    names
}
