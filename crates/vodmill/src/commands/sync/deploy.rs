//! What a deployed file is served as, and when it is uploaded.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use vodmill_delivery::{ObjectKind, content_type};
use vodmill_store::Headers;
use vodmill_store::sync::{Glob, SyncError, Tree};

use crate::cli::CacheRule;

/// A multivariant playlist says so near its beginning.
const HEAD: u64 = 64 << 10;

/// Says what readers of each object are told.
pub struct CachePolicy {
    rules: Vec<(Glob, String)>,
}

impl CachePolicy {
    /// A policy by rules, the first that fits, and by what vodmill publishes where none does.
    pub fn new(rules: &[CacheRule]) -> Result<CachePolicy, SyncError> {
        let rule = |rule: &CacheRule| Ok((Glob::new(&rule.pattern)?, rule.value.clone()));
        Ok(CachePolicy { rules: rules.iter().map(rule).collect::<Result<_, SyncError>>()? })
    }

    /// The headers of one file of a tree. What is private of a package stays so, whatever the rules.
    pub fn headers(&self, tree: &Tree, name: &str, is_private: bool) -> Headers {
        let rule = self.rules.iter().find(|(glob, _)| glob.matches(name));
        let rule = rule.map(|(_, value)| value.as_str());
        let value = match rule {
            Some(value) if is_private && !is_for_one(value) => None,
            rule => rule,
        };
        let published = || match is_private {
            true => Some(ObjectKind::Private),
            false => published(tree, name),
        };
        let value = match value {
            Some(value) => Some(value).filter(|value| !value.is_empty()),
            None => published().map(ObjectKind::cache_control),
        };
        let content_type = Some(content_type(name).to_owned());
        Headers { content_type, cache_control: value.map(str::to_owned) }
    }
}

/// Whether a `Cache-Control` keeps what it is said of out of shared caches (RFC 9111, 5.2.2).
fn is_for_one(value: &str) -> bool {
    let mut directives = value.split(',').map(|one| one.trim().to_ascii_lowercase());
    directives.any(|one| one == "private" || one == "no-store")
}

/// What a file of a published asset is; nothing for any other. An asset is a folder with
/// `asset.json`, its generations are the folders in it that have a receipt.
fn published(tree: &Tree, name: &str) -> Option<ObjectKind> {
    let below = |folder: &str, file: &str| match folder {
        "" => file.to_owned(),
        _ => format!("{folder}/{file}"),
    };
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let is_asset = |folder: &str| tree.contains(&below(folder, "asset.json"));
    if matches!(file, "asset.json" | "index.m3u8") && is_asset(folder) {
        return Some(ObjectKind::Pointer);
    }
    let is_generation = |generation: &str| {
        let asset = generation.rsplit_once('/').map_or("", |(asset, _)| asset);
        tree.contains(&below(generation, "receipt.json")) && is_asset(asset)
    };
    let mut inner = name.match_indices('/').filter(|&(at, _)| is_generation(&name[..at]));
    inner.next().map(|(at, _)| ObjectKind::in_generation(&name[at + 1..]))
}

/// The phase of a file: what points to others comes after them. Segments and all else, media
/// playlists, multivariant playlists, `asset.json`.
pub fn phase(name: &str, path: Option<&Path>) -> u8 {
    let file = name.rsplit('/').next().unwrap_or(name);
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "json" if file == "asset.json" => 3,
        "mpd" => 2,
        "m3u8" if path.is_some_and(is_multivariant) => 2,
        "m3u8" => 1,
        _ => 0,
    }
}

/// A playlist that cannot be read will fail when it is uploaded.
fn is_multivariant(path: &Path) -> bool {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut text));
    let is_tag = |line: &[u8]| line.starts_with(b"#EXT-X-STREAM-INF:");
    read.is_ok() && text.split(|&byte| byte == b'\n').any(is_tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_points_comes_after_what_it_points_to() {
        let dir = tempfile::tempdir().expect("scratch");
        let at = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("file");
            path
        };
        let media = at("low.m3u8", "#EXTM3U\n#EXTINF:6,\n0.ts\n");
        let multivariant = at("index.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n");
        assert_eq!(phase("a/0.ts", Some(&media)), 0);
        assert_eq!(phase("a/low.m3u8", Some(&media)), 1);
        assert_eq!(phase("a/index.m3u8", Some(&multivariant)), 2);
        assert_eq!(phase("asset.json", Some(&media)), 3);
        assert_eq!(phase("data/other.json", None), 0);
        assert_eq!(phase("a/index.m3u8", None), 1);
    }

    #[test]
    fn what_is_private_stays_so_whatever_the_rules() {
        let told = |rules: &[&str], is_private| {
            let rules: Vec<CacheRule> =
                rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
            let policy = CachePolicy::new(&rules).expect("a policy");
            policy.headers(&Tree::default(), "a.mp4", is_private).cache_control
        };
        let private = ObjectKind::Private.cache_control();
        for rule in ["*=public, max-age=60", "*=Public", "*=max-age=60", "*=s-maxage=60", "*="] {
            assert_eq!(told(&[rule], true).as_deref(), Some(private), "{rule}");
            let open = rule.strip_prefix("*=").filter(|value| !value.is_empty());
            assert_eq!(told(&[rule], false).as_deref(), open, "{rule}");
        }
        assert_eq!(told(&[], true).as_deref(), Some(private));
        assert_eq!(told(&["*=no-store"], true).as_deref(), Some("no-store"));
        assert_eq!(told(&["*=max-age=5, Private"], true).as_deref(), Some("max-age=5, Private"));
    }
}
