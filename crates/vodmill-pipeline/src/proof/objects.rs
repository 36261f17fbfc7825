//! Every object that no other proof reads: there, of its size, of its digest, and none too many.

use std::collections::BTreeSet;

use super::Prover;
use crate::file::measure;
use crate::receipt::RECEIPT;

pub(super) fn prove(prover: &Prover<'_>) {
    let claimed: BTreeSet<&str> =
        prover.receipt.objects.iter().map(|object| object.name.as_str()).collect();
    for name in &claimed {
        // Segments and playlists are read, hashed and looked into by their playlist's proof.
        if !name.starts_with("hls/") {
            prove_one(prover, name);
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

fn prove_one(prover: &Prover<'_>, name: &str) {
    match measure(&prover.root.join(name)) {
        Ok((bytes, sha256)) => {
            prover.count(|report| report.bytes += bytes);
            prover.compare(name, bytes, &sha256);
        }
        Err(error) => prover.find(name, "object_missing", error.to_string()),
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
