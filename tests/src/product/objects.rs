//! What lies in a folder, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder, by name.
pub fn tree(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.path() {
            path if path.is_dir() => {
                files.extend(tree(&path).into_iter().map(|(sub, at)| (format!("{name}/{sub}"), at)))
            }
            path => drop(files.insert(name, path)),
        }
    }
    files
}

/// Every object of clear assets; their descriptions without the date.
pub fn objects(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut objects = BTreeMap::new();
    for (name, path) in tree(folder) {
        let bytes = fs::read(path).expect("an object");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let dateless = text.lines().filter(|line| !line.contains("published_at"));
        let described = name.ends_with("asset.json");
        objects.insert(name, if described { dateless.collect::<String>().into() } else { bytes });
    }
    objects
}
