//! Proof: what a receipt claims, read back from the files alone.
//!
//! Before publication every finding refuses the package; afterwards `check` lists them all.

mod findings;
mod made;
mod media;
mod objects;
mod outputs;
mod pointer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use vodmill_keys::KeyRing;
use vodmill_model::pipeline::ProofLevel;
use vodmill_model::receipt::{HlsFact, ObjectFact, RECEIPT, Receipt};
use vodmill_model::transcode::{Progress, ProgressSink};
use vodmill_model::{Failed, MediaError, Transcode};

pub use findings::Finding;
use findings::Findings;
pub(crate) use made::{Piece, Proved, prove_piece, prove_run};
pub(crate) use media::SegmentProof;
pub(crate) use outputs::{micros, part};

use crate::file::{failed, measure, sha256};

/// Findings that are listed; a package that is damaged everywhere says enough with these.
const MAX_FINDINGS: usize = 1000;

/// A published package to prove again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckOrder {
    /// The asset's folder, or one generation's.
    pub package: PathBuf,
    /// Keys to try, by id.
    pub keys: KeyRing,
    /// How deeply.
    pub level: ProofLevel,
}

/// What checking found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The asset.
    pub asset: String,
    /// The generation.
    pub generation: String,
    /// Objects that the receipt lists.
    pub objects: u64,
    /// Bytes that were read and hashed.
    pub bytes: u64,
    /// Media segments whose content was looked at.
    pub segments: u64,
    /// I-frames, as I-frame playlists list them, whose content was looked at.
    #[serde(default)]
    pub iframes: u64,
    /// Encrypted segments and I-frames that no key was at hand for; their sizes and digests were proved.
    pub without_key: u64,
    /// What is wrong; empty when all is proved.
    pub findings: Vec<Finding>,
}

/// Proves a generation against its receipt: what is in its folder from the files, the rest by what
/// was proved of it before.
///
/// # Errors
/// `Failed` that names the first findings, or what could not be read.
pub(crate) fn prove(
    root: &Path,
    receipt: &Receipt,
    level: ProofLevel,
    (keys, proved): (&KeyRing, &Proved),
    transcode: &dyn Transcode,
    watch: &dyn ProgressSink,
) -> Result<(), MediaError> {
    let report =
        Prover { proved, level, ..Prover::new(root, receipt, keys, transcode, watch) }.run();
    findings::none("prove package", &report.findings)?;
    if report.without_key > 0 {
        let cause = format!("{} segments without key", report.without_key);
        return Err(Failed::new("prove package", cause).into());
    }
    Ok(())
}

/// Proves a published package again, from its files alone.
pub(crate) fn check(
    order: &CheckOrder,
    transcode: &dyn Transcode,
    watch: &dyn ProgressSink,
) -> Result<CheckReport, MediaError> {
    let (root, pointer) = pointer::generation_of(&order.package)?;
    let (receipt, digest) = read_receipt(&root)?;
    let prover = Prover::new(&root, &receipt, &order.keys, transcode, watch);
    let mut report = Prover { level: order.level, ..prover }.run();
    report.findings.extend(pointer::compare(&order.package, &pointer, &receipt, &digest));
    report.findings.sort();
    report.findings.truncate(MAX_FINDINGS);
    Ok(report)
}

/// The receipt of a published package.
pub(crate) fn receipt_of(package: &Path) -> Result<Receipt, MediaError> {
    let (root, _) = pointer::generation_of(package)?;
    Ok(read_receipt(&root)?.0)
}

/// The folder of a published generation and its receipt.
pub(crate) fn generation(package: &Path) -> Result<(PathBuf, Receipt), MediaError> {
    let (root, _) = pointer::generation_of(package)?;
    let (receipt, _) = read_receipt(&root)?;
    Ok((root, receipt))
}

/// The receipt of a generation and its SHA-256.
fn read_receipt(root: &Path) -> Result<(Receipt, String), Failed> {
    let path = root.join(RECEIPT);
    let bytes = std::fs::read(&path).map_err(failed("read", &path))?;
    let receipt = Receipt::read(&bytes).map_err(failed("read", &path))?;
    Ok((receipt, sha256(&bytes)))
}

/// Nothing was proved before.
static NOTHING: Proved = Proved::NOTHING;

/// One proof under way; shared by the threads that read.
struct Prover<'a> {
    root: &'a Path,
    receipt: &'a Receipt,
    keys: &'a KeyRing,
    proved: &'a Proved,
    level: ProofLevel,
    transcode: &'a dyn Transcode,
    watch: &'a dyn ProgressSink,
    report: Mutex<CheckReport>,
    /// Objects that were looked at.
    seen: Mutex<BTreeSet<String>>,
}

impl<'a> Prover<'a> {
    fn new(
        root: &'a Path,
        receipt: &'a Receipt,
        keys: &'a KeyRing,
        transcode: &'a dyn Transcode,
        watch: &'a dyn ProgressSink,
    ) -> Prover<'a> {
        let report = CheckReport {
            asset: receipt.asset.clone(),
            generation: receipt.generation.to_string(),
            objects: receipt.objects.len() as u64,
            ..CheckReport::default()
        };
        let (report, seen) = (Mutex::new(report), Mutex::default());
        let (proved, level) = (&NOTHING, ProofLevel::Standard);
        Prover { root, receipt, keys, proved, level, transcode, watch, report, seen }
    }

    fn proof(&self, hls: &HlsFact) -> SegmentProof<'a> {
        let (base, rate) = (hls.base, self.receipt.frame_rate);
        SegmentProof { transcode: self.transcode, level: self.level, base, rate }
    }

    /// Whether an object was proved before, and is no file of this folder.
    fn was_proved(&self, name: &str) -> bool {
        self.proved.object(name).is_some()
    }

    /// Outputs of each kind by a thread of its own, everything else beside them.
    fn run(self) -> CheckReport {
        std::thread::scope(|scope| {
            for outputs in self.receipt.outputs.chunk_by(outputs::are_of_one_kind) {
                scope.spawn(|| outputs::prove(&self, outputs));
            }
            objects::prove(&self);
        });
        objects::prove_unseen(&self);
        let mut report = self.report.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.findings.sort();
        report.findings.dedup();
        report.findings.truncate(MAX_FINDINGS);
        report
    }

    fn find(&self, object: &str, code: &str, detail: impl Into<String>) {
        self.add(Findings::about(object).with(code, detail));
    }

    fn add(&self, findings: Vec<Finding>) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MAX_FINDINGS.saturating_sub(report.findings.len());
        report.findings.extend(findings.into_iter().take(room));
    }

    fn has_found(&self) -> bool {
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        !report.findings.is_empty()
    }

    fn see(&self, name: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(name.to_owned());
    }

    fn has_seen(&self, name: &str) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    fn count(&self, add: impl FnOnce(&mut CheckReport)) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut report);
        let done = report.bytes;
        drop(report);
        self.watch.progress(Progress { of: "prove".to_owned(), done, total: None });
    }

    /// The size and digest that the receipt has for an object.
    fn claimed(&self, name: &str) -> Option<&ObjectFact> {
        let objects = &self.receipt.objects;
        let found = objects.binary_search_by(|object| object.name.as_str().cmp(name)).ok()?;
        objects.get(found)
    }

    /// Reads an object whole and holds it against its claim; none when there is nothing to look at.
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.see(name);
        let bytes = match std::fs::read(self.root.join(name)) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.find(name, "object_missing", error.to_string());
                return None;
            }
        };
        self.count(|report| report.bytes += bytes.len() as u64);
        self.compare(name, bytes.len() as u64, &sha256(&bytes)).then_some(bytes)
    }

    /// Holds an object against its claim without having it in memory.
    fn measure(&self, name: &str) {
        self.see(name);
        match measure(&self.root.join(name)) {
            Ok((bytes, sha256)) => {
                self.count(|report| report.bytes += bytes);
                self.compare(name, bytes, &sha256);
            }
            Err(error) => self.find(name, "object_missing", error.to_string()),
        }
    }

    fn compare(&self, name: &str, bytes: u64, sha256: &str) -> bool {
        let Some(claim) = self.claimed(name) else {
            self.find(name, "object_unknown", "the receipt does not list it");
            return false;
        };
        if claim.bytes != bytes {
            self.find(name, "object_size", format!("{bytes} bytes instead of {}", claim.bytes));
        } else if claim.sha256 != sha256 {
            self.find(
                name,
                "object_digest",
                format!("SHA-256 {sha256} instead of {}", claim.sha256),
            );
        } else {
            return true;
        }
        false
    }
}
