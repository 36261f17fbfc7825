//! What of a place of packages is served: pointers, and what the receipt of a generation lists. What
//! else lies there is not there for anybody.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io;
use std::sync::Arc;

use quick_cache::sync::Cache;
use vodmill_delivery::{AssetPath, ObjectKind};
use vodmill_model::asset::AssetHead;
use vodmill_model::receipt::{ListedObject, ReceiptHead};

/// Generations whose receipts are remembered.
const REMEMBERED: usize = 1024;

/// Reads an object of a place of packages by its name; None if it is not there.
pub(crate) type Read<'r> = &'r dyn Fn(&str) -> io::Result<Option<Vec<u8>>>;

/// Receipts that were read: they never change.
pub(crate) struct Receipts {
    known: Cache<(String, String), Arc<Listed>>,
    hash: RandomState,
}

/// Digests of the names that a receipt lists, sorted: a long film has many thousands of them.
struct Listed(Vec<u64>);

impl Receipts {
    pub(crate) fn new() -> Receipts {
        Receipts { known: Cache::new(REMEMBERED), hash: RandomState::new() }
    }

    /// Whether this is an object of a package, in the place of that name.
    pub(crate) fn hold(
        &self,
        place: &str,
        object: &AssetPath<'_>,
        read: Read<'_>,
    ) -> io::Result<bool> {
        let Some(generation) = object.generation else { return is_pointer(object, read) };
        let path = format!("{}/{generation}", object.asset);
        let key = (place.to_owned(), path);
        let listed = match self.known.get(&key) {
            Some(listed) => listed,
            None => {
                let Some(listed) = self.look(object, generation, read)? else { return Ok(false) };
                let listed = Arc::new(listed);
                self.known.insert(key, Arc::clone(&listed));
                listed
            }
        };
        Ok(object.kind == ObjectKind::Receipt || listed.holds(self.hash.hash_one(object.name)))
    }

    /// What the receipt of a generation lists, if it is its own.
    fn look(
        &self,
        object: &AssetPath<'_>,
        generation: &str,
        read: Read<'_>,
    ) -> io::Result<Option<Listed>> {
        let asset = object.asset;
        let Some(bytes) = read(&format!("{asset}/{generation}/receipt.json"))? else {
            return Ok(None);
        };
        let Ok(receipt) = ReceiptHead::read(&bytes) else {
            tracing::warn!(asset, generation, "receipt not understood");
            return Ok(None);
        };
        if receipt.asset != asset || receipt.generation != generation {
            return Ok(None);
        }
        let digest = |object: &ListedObject| self.hash.hash_one(object.name.as_str());
        let mut digests: Vec<u64> = receipt.objects.iter().map(digest).collect();
        digests.sort_unstable();
        Ok(Some(Listed(digests)))
    }
}

impl Listed {
    fn holds(&self, digest: u64) -> bool {
        self.0.binary_search(&digest).is_ok()
    }
}

/// Whether an asset of that name is described beside it; a playlist, as having one.
fn is_pointer(object: &AssetPath<'_>, read: Read<'_>) -> io::Result<bool> {
    let Some(bytes) = read(&format!("{}/asset.json", object.asset))? else { return Ok(false) };
    let Ok(head) = AssetHead::read(&bytes) else { return Ok(false) };
    let is_there = object.name == "asset.json" || head.has_hls();
    Ok(head.name == object.asset && is_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIPT: &str = r#"{"version":1,"asset":"a/b","generation":"g0001-44122a99",
        "objects":[{"name":"hls/0.ts","bytes":1},{"name":"private/mp4/web.mp4"}]}"#;

    fn held(files: &[(&str, &str)], path: &str) -> bool {
        let read = |name: &str| -> io::Result<Option<Vec<u8>>> {
            let file = files.iter().find(|(known, _)| *known == name);
            Ok(file.map(|(_, text)| text.as_bytes().to_vec()))
        };
        let object = AssetPath::of(path).expect("an object's path");
        Receipts::new().hold("tv", &object, &read).expect("read")
    }

    #[test]
    fn only_what_its_own_receipt_lists_is_there() {
        let own = [("a/b/g0001-44122a99/receipt.json", RECEIPT)];
        for (name, there) in [
            ("hls/0.ts", true),
            ("receipt.json", true),
            ("private/mp4/web.mp4", true),
            ("hls/1.ts", false),
            ("HLS/0.ts", false),
            ("hls/0.ts~", false),
        ] {
            assert_eq!(held(&own, &format!("a/b/g0001-44122a99/{name}")), there, "{name}");
        }
        assert!(!held(
            &[("a/b/g0002-44122a99/receipt.json", RECEIPT)],
            "a/b/g0002-44122a99/hls/0.ts"
        ));
        assert!(!held(
            &[("c/g0001-44122a99/receipt.json", RECEIPT)],
            "c/g0001-44122a99/receipt.json"
        ));
        assert!(!held(&[("a/b/g0001-44122a99/receipt.json", "{}")], "a/b/g0001-44122a99/hls/0.ts"));
    }

    #[test]
    fn a_pointer_is_described_beside_it() {
        fn described(text: &str) -> [(&str, &str); 1] {
            [("a/asset.json", text)]
        }
        let of =
            |asset, rest| format!(r#"{{"asset":"{asset}","generation":"g0001-44122a99",{rest}}}"#);
        for hls in [r#""hls":{}"#, r#""outputs":[{"kind":"file"},{"kind":"hls"}]"#] {
            let whole = of("a", hls);
            let whole = described(&whole);
            assert!(held(&whole, "a/asset.json") && held(&whole, "a/index.m3u8"), "{hls}");
        }
        for none in [r#""hls":null"#, r#""outputs":[{"kind":"file"}]"#] {
            let without = of("a", none);
            let without = described(&without);
            assert!(held(&without, "a/asset.json") && !held(&without, "a/index.m3u8"), "{none}");
        }
        for other in [&of("b", r#""hls":{}"#), r#"{"asset":"a","hls":{}}"#, "{}", "[", ""] {
            assert!(!held(&described(other), "a/asset.json"), "{other}");
        }
        assert!(!held(&[], "a/index.m3u8"));
    }
}
