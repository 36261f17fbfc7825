//! What lies in a folder, to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::conformance::{Package, Report};

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

/// Every object of clear assets; their descriptions without the date and what they took.
pub fn objects(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut objects = BTreeMap::new();
    for (name, path) in tree(folder) {
        let bytes = fs::read(path).expect("an object");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let differs = |line: &&str| line.contains("published_at") || line.contains("_cpu_ms\"");
        let dateless = text.lines().filter(|line| !differs(line));
        let described = name.ends_with("asset.json");
        objects.insert(name, if described { dateless.collect::<String>().into() } else { bytes });
    }
    objects
}

/// All media of a package, encrypted parts decrypted, by name within its generation.
pub fn media(asset: &Path, keys: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut report = Report::default();
    let package = Package::load(asset, Some(keys), &mut report).expect("it loads");
    let mut media = BTreeMap::new();
    for rendition in &package.renditions {
        media.insert(rendition.uri.clone(), fs::read(rendition.clear.path()).expect("media"));
    }
    for folder in ["private/mp4", "thumbnails"] {
        for (name, path) in tree(&package.generation.join(folder)) {
            media.insert(format!("{folder}/{name}"), fs::read(path).expect("an object"));
        }
    }
    media
}
