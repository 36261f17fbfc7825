//! AES-128 (RFC 8216, 4.3.2.4 and 5): all or nothing, equal key periods, fresh IVs, no key in
//! sight.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};

use super::package::{Kind, Package, Rendition};
use super::{Report, files};
use crate::m3u8::Key;

/// Decrypts AES-128-CBC with PKCS#7 padding.
pub fn decrypt(key: &[u8; 16], iv: &[u8; 16], mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let cipher = cbc::Decryptor::<Aes128>::new(key.into(), iv.into());
    let clear = cipher.decrypt_padded::<Pkcs7>(&mut bytes).map_err(|_| "it does not decrypt")?;
    let length = clear.len();
    bytes.truncate(length);
    Ok(bytes)
}

pub fn check(package: &Package, report: &mut Report) {
    let encrypted = package.keys_used().next().is_some();
    if !encrypted {
        return report.must(package.keys.is_empty(), "keys", "", "keys for a clear package");
    }
    let mut pairs = BTreeSet::new();
    for rendition in &package.renditions {
        if rendition.kind != Kind::Subtitles {
            hidden(rendition, report);
        }
        for key in keys(rendition).flatten() {
            method(key, &rendition.uri, report);
            let pair = (package.key(&key.uri).unwrap_or_default(), key.iv);
            let detail = format!("the IV {:?} is used again", key.iv);
            report.must(pairs.insert(pair), "iv", &rendition.uri, detail);
        }
    }
    periods(package, report);
    nothing_clear_in_sight(package, report);
    no_key_in_sight(package, report);
}

impl Package {
    fn keys_used(&self) -> impl Iterator<Item = &Key> {
        self.renditions.iter().flat_map(|rendition| keys(rendition).flatten())
    }
}

fn keys(rendition: &Rendition) -> impl Iterator<Item = Option<&Key>> {
    rendition.playlist.segments.iter().map(|segment| segment.key.as_ref())
}

fn method(key: &Key, object: &str, report: &mut Report) {
    report.must(key.method == "AES-128", "method", object, key.method.clone());
    report.must(key.iv.is_some(), "iv", object, "no explicit IV");
}

/// No segment is served as it is, and another key does not open it.
fn hidden(rendition: &Rendition, report: &mut Report) {
    let segments = rendition.playlist.segments.iter().zip(&rendition.pieces);
    for (index, (segment, piece)) in segments.enumerate() {
        let object = rendition.uri.as_str();
        report.must(segment.key.is_some(), "encryption", object, format!("{index} is clear"));
        let served = piece.head != piece.clear_head && piece.served.is_multiple_of(16);
        report.must(served, "encryption", object, format!("segment {index} as served is clear"));
        let other = decrypt(&[0x5a; 16], &[0; 16], piece.head.clone());
        let shut = other.is_err() || other.is_ok_and(|bytes| bytes != piece.clear_head);
        report.must(shut, "encryption", object, format!("another key opens segment {index}"));
    }
}

/// Keys change at the same segments in all renditions, and never come back.
fn periods(package: &Package, report: &mut Report) {
    let of = |rendition: &Rendition| -> Vec<Option<String>> {
        keys(rendition).map(|key| key.map(|key| key.uri.clone())).collect()
    };
    let timed = || package.of(Kind::Variant).chain(package.of(Kind::Audio));
    let Some(first) = timed().next() else { return };
    let want = of(first);
    for rendition in timed() {
        let detail = format!("other key periods than {}", first.uri);
        report.must(of(rendition) == want, "key periods", &rendition.uri, detail);
    }
    let mut runs = want.clone();
    runs.dedup();
    let distinct: BTreeSet<_> = runs.iter().collect();
    report.must(distinct.len() == runs.len(), "key periods", &first.uri, "a key comes back");
    let lengths: Vec<usize> =
        runs.iter().map(|run| want.iter().filter(|one| *one == run).count()).collect();
    let equal = lengths.windows(2).all(|pair| pair[0] >= pair[1])
        && lengths.iter().rev().skip(1).all(|length| *length == lengths[0]);
    report.must(equal, "key periods", &first.uri, format!("periods of {lengths:?} segments"));
    let bytes: BTreeSet<_> = runs.iter().flatten().map(|uri| package.key(uri)).collect();
    report.must(bytes.len() == runs.len(), "key periods", &first.uri, "two periods, one key");
}

/// Outside `private/`, every byte of media is behind a key or in an init segment.
fn nothing_clear_in_sight(package: &Package, report: &mut Report) {
    let plain = ["m3u8", "json", "vtt", "jpg"];
    for (object, path) in files::all(&package.generation) {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if object.starts_with("private/") || plain.contains(&&*extension) {
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let mut clear = vec![true; bytes.len()];
        for rendition in &package.renditions {
            cover(package, rendition, &path, &mut clear);
        }
        let left = clear.iter().filter(|clear| **clear).count();
        report.must(left == 0, "clear media", &object, format!("{left} bytes behind no key"));
    }
}

/// Marks what a playlist puts behind a key, and its init segment where that holds no media.
fn cover(package: &Package, rendition: &Rendition, path: &Path, clear: &mut [bool]) {
    let folder = package.asset.join(&rendition.uri);
    let is_here = |uri: &str| folder.with_file_name(uri) == path;
    let playlist = &rendition.playlist;
    let segments = playlist.segments.iter().filter(|one| one.key.is_some());
    let mut ranges: Vec<_> =
        segments.filter(|one| is_here(&one.uri)).map(|one| one.range).collect();
    if let Some(map) = playlist.map.as_ref().filter(|map| is_here(&map.uri)) {
        ranges.push(map.range);
    }
    for range in ranges {
        let (length, offset) = range.unwrap_or((clear.len() as u64, 0));
        let end = clear.len().min((offset + length) as usize);
        clear[(offset as usize).min(end)..end].fill(false);
    }
}

/// No small object of the package holds a key, raw or in hexadecimal.
fn no_key_in_sight(package: &Package, report: &mut Report) {
    for (object, path) in files::all(&package.asset) {
        let small = fs::metadata(&path).is_ok_and(|file| file.len() < 1 << 16);
        let Some(bytes) = small.then(|| fs::read(&path).ok()).flatten() else { continue };
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for key in package.keys.values() {
            let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            let raw = bytes.windows(16).any(|window| window == key);
            report.must(!raw && !text.contains(&hex), "keys", &object, "holds a key");
        }
    }
}
