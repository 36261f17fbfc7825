//! `asset.json`: it is there, and every object that it names is as it says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::package::Package;
use super::{Report, files};

pub fn check(package: &Package, report: &mut Report) {
    let object = "asset.json";
    let text = fs::read(package.asset.join(object)).map_err(|why| why.to_string());
    let json =
        text.and_then(|text| serde_json::from_slice::<Value>(&text).map_err(|why| why.to_string()));
    let Some(json) = report.try_or(json, "asset.json", object) else { return };
    let mut digests = BTreeMap::new();
    let roots = [package.asset.as_path(), &package.generation];
    collect(&json, &roots, &mut digests);
    // The receipt, which asset.json vouches for, vouches for the rest.
    let named: Vec<PathBuf> = digests.keys().cloned().collect();
    for path in named.iter().filter(|path| path.extension().is_some_and(|it| it == "json")) {
        let text = fs::read(path).unwrap_or_default();
        let receipt = serde_json::from_slice(&text).unwrap_or_default();
        collect(&receipt, &roots, &mut digests);
    }
    report.must(!digests.is_empty(), "digests", object, "names no object with its SHA-256");
    for (path, (bytes, sha256)) in &digests {
        let name = path.strip_prefix(&package.asset).unwrap_or(path).to_string_lossy();
        let content = fs::read(path).unwrap_or_default();
        let found: String =
            Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        report.must(found == *sha256, "digest", &name, format!("{found}, not {sha256}"));
        let size = bytes.is_none_or(|bytes| bytes == content.len() as u64);
        report.must(size, "size", &name, format!("{} bytes, not {bytes:?}", content.len()));
    }
    for (name, path) in files::all(&package.generation) {
        report.must(digests.contains_key(&path), "digests", &name, "has none in asset.json");
    }
}

/// Objects with a SHA-256 anywhere in the document, by the file that one of their strings names.
fn collect(value: &Value, roots: &[&Path], found: &mut BTreeMap<PathBuf, (Option<u64>, String)>) {
    let children: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => {
            if let Some(sha256) = fields.get("sha256").and_then(Value::as_str) {
                let names = fields.values().filter_map(Value::as_str);
                let paths = names.flat_map(|name| roots.iter().map(move |root| root.join(name)));
                let bytes = fields.get("bytes").or(fields.get("size")).and_then(Value::as_u64);
                let path = paths.into_iter().find(|path| path.is_file());
                found.extend(path.map(|path| (path, (bytes, sha256.to_owned()))));
            }
            fields.values().collect()
        }
        _ => Vec::new(),
    };
    for child in children {
        collect(child, roots, found);
    }
}
