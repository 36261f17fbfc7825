//! Every object that no other proof reads: there, of its size, of its digest, and none too many.

use std::collections::BTreeSet;

use vodmill_model::receipt::RECEIPT;

use super::{Prover, outputs};
use crate::file::files_below;

/// Prefix, within a generation, of what is not for everybody.
const PRIVATE: &str = "private/";

pub(super) fn prove(prover: &Prover<'_>) {
    let claimed: BTreeSet<&str> =
        prover.receipt.objects.iter().map(|object| object.name.as_str()).collect();
    let outputs = &prover.receipt.outputs;
    for name in &claimed {
        if outputs.iter().any(|output| outputs::reads(output, name)) {
            continue;
        }
        prover.measure(name);
        prove_no_media(prover, name);
        prove_no_key(prover, name);
        if !outputs.iter().any(|output| outputs::holds(output, name)) {
            prover.find(name, "unreachable", "it is of no output");
        }
    }
    let files = files_below(prover.root).unwrap_or_else(|failed| {
        // What cannot be looked at is not known to be right.
        prover.find("", "objects_unlisted", failed.to_string());
        Vec::new()
    });
    for name in files {
        if name != RECEIPT && !claimed.contains(name.as_str()) {
            prover.find(&name, "object_unknown", "the receipt does not list it");
        }
    }
}

/// Objects that the proof of their output was not led to.
pub(super) fn prove_unseen(prover: &Prover<'_>) {
    // Where a playlist is damaged, that is why.
    let explained = prover.has_found();
    let names = prover.receipt.objects.iter().map(|object| object.name.as_str());
    for name in names.filter(|name| !prover.has_seen(name)) {
        if !prover.was_proved(name) {
            prover.measure(name);
            prove_no_key(prover, name);
        }
        if !explained {
            prover.find(name, "unreachable", "no playlist names it");
        }
    }
}

/// In an encrypted package, media outside the HLS part is clear, and so must be under the private
/// prefix.
fn prove_no_media(prover: &Prover<'_>, name: &str) {
    let is_media =
        [".mp4", ".webm", ".mp3", ".ts", ".m4s"].iter().any(|extension| name.ends_with(extension));
    if prover.receipt.is_encrypted() && is_media && !name.starts_with(PRIVATE) {
        prover.find(name, "clear_media", "clear media outside the private prefix");
    }
}

/// No key lies about.
fn prove_no_key(prover: &Prover<'_>, name: &str) {
    let claim = prover.claimed(name).filter(|object| object.bytes == 16);
    let bytes = claim.and_then(|object| std::fs::read(prover.root.join(&object.name)).ok());
    if bytes.is_some_and(|bytes| prover.keys.holds(&bytes)) {
        prover.find(name, "key_published", "it is the key of this package");
    }
}
