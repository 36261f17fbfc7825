//! Poster and storyboard: what is claimed is there. The objects are hashed with all others.

use vodmill_model::receipt::StillsFact;

use crate::proof::Prover;

pub(super) fn prove(prover: &Prover<'_>, fact: &StillsFact) {
    for name in &fact.objects {
        if prover.claimed(name).is_none() {
            prover.find(name, "object_unknown", "the receipt does not list it");
        }
    }
}
