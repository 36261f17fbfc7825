//! What is claimed of each output: a file for each kind, and the table of kinds.

mod file;
pub(super) mod hls;
mod stills;

use std::mem::discriminant;
use std::path::Path;

use vodmill_model::receipt::{OutputFact, Receipt};

pub(crate) use self::hls::{micros, part};
use super::{Finding, Prover};

/// Proves outputs one after the other.
pub(super) fn prove(prover: &Prover<'_>, outputs: &[OutputFact]) {
    for output in outputs {
        match output {
            OutputFact::Hls(fact) => hls::prove(prover, fact),
            OutputFact::File(fact) => file::prove(prover, fact),
            OutputFact::Stills(fact) => stills::prove(prover, fact),
        }
    }
}

/// Whether the proof of an output reads an object of that name itself, and reports one that it was
/// not led to.
pub(super) fn reads(output: &OutputFact, name: &str) -> bool {
    match output {
        OutputFact::Hls(_) => hls::reads(name),
        OutputFact::File(_) | OutputFact::Stills(_) => false,
    }
}

/// Whether an object of that name is of an output.
pub(super) fn holds(output: &OutputFact, name: &str) -> bool {
    match output {
        OutputFact::Hls(_) => hls::reads(name),
        OutputFact::File(fact) => fact.name == name,
        OutputFact::Stills(fact) => fact.objects.iter().any(|object| object == name),
    }
}

/// Holds what leads to outputs from beside the generation against the receipt.
pub(super) fn compare_pointers(asset: &Path, receipt: &Receipt) -> Vec<Finding> {
    hls::compare_pointer(asset, receipt)
}

/// Outputs of one kind share a thread: a package may have many files, and the memory of a process is
/// bounded.
pub(super) fn are_of_one_kind(one: &OutputFact, other: &OutputFact) -> bool {
    discriminant(one) == discriminant(other)
}
