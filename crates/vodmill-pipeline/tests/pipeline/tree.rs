//! Folders as maps from name to content, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub type Tree = BTreeMap<String, Vec<u8>>;

/// Names that begin so are no objects: the mark of the owner, and a store's unfinished work, which
/// stays behind when its writer is killed before it gives the object its name.
const OWN: &str = ".vodmill";

/// Every object below a folder; the date of publication is left out of `asset.json`.
pub fn read(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).into_iter().flatten() {
            let entry = entry.expect("read folder");
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(OWN) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("is below").to_string_lossy().into_owned();
            let bytes = fs::read(&path).expect("read file");
            tree.insert(name, if path.ends_with("asset.json") { undated(&bytes) } else { bytes });
        }
    }
    tree
}

fn undated(asset_json: &[u8]) -> Vec<u8> {
    let mut asset: serde_json::Value = serde_json::from_slice(asset_json).expect("asset.json");
    for differs in ["published_at", "encode_cpu_ms", "package_cpu_ms"] {
        asset[differs].take();
    }
    serde_json::to_vec(&asset).expect("asset.json")
}

/// Fails with the names of what differs, not with all the bytes.
pub fn assert_same(left: &Tree, right: &Tree, about: &str) {
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(left), names(right), "{about}");
    let differing: Vec<_> = left.iter().filter(|(name, bytes)| right[*name] != **bytes).collect();
    let differing: Vec<_> = differing.iter().map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "{about}: {differing:?} differ");
}
