//! The pointer of an asset: what it names is what is there.

use std::fs;
use std::path::{Path, PathBuf};

use vodmill_model::outcome::Reason;
use vodmill_model::receipt::{RECEIPT, Receipt};
use vodmill_model::{AssetDocument, Failed, GenerationName, MediaError, Rejected};

use super::{Finding, outputs};
use crate::file::failed;
use crate::generation::ASSET;

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
            if claimed != Some(&receipt.reference(receipt_sha256)) {
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
    findings.extend(outputs::compare_pointers(asset, receipt));
    findings
}
