//! Which asset an object belongs to, by its path below a destination: `ASSET/index.m3u8`,
//! `ASSET/asset.json`, or `ASSET/GENERATION/…`; and how long caches may keep it. No store is asked:
//! paths are how vodmill writes them.

use vodmill_model::GenerationName;

/// What a package claims, beside its objects.
const RECEIPT: &str = "receipt.json";

/// Folder of a generation for clear media of an encrypted pipeline.
const PRIVATE: &str = "private";

/// An object of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetPath<'p> {
    /// The asset's name, perhaps with slashes.
    pub asset: &'p str,
    /// The generation that it is of; none for the pointer.
    pub generation: Option<&'p str>,
    /// Its name in the generation, or beside them.
    pub name: &'p str,
    /// What kind of object.
    pub kind: ObjectKind,
}

/// What tells who may have an object, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// `index.m3u8` or `asset.json` of an asset: the only objects that are ever replaced.
    Pointer,
    /// An object of a generation.
    Object,
    /// `receipt.json` of a generation.
    Receipt,
    /// An object below `private/` of a generation: for no viewer.
    Private,
}

impl ObjectKind {
    /// Of an object of a generation, by its name there.
    pub fn in_generation(name: &str) -> ObjectKind {
        match name.split_once('/') {
            Some((PRIVATE, _)) => ObjectKind::Private,
            None if name == RECEIPT => ObjectKind::Receipt,
            _ => ObjectKind::Object,
        }
    }

    /// `Cache-Control`. The pointer changes with every publication; all else never does.
    pub fn cache_control(self) -> &'static str {
        match self {
            ObjectKind::Pointer => "public, max-age=60",
            ObjectKind::Object | ObjectKind::Receipt => "public, max-age=31536000, immutable",
            ObjectKind::Private => "private, max-age=31536000, immutable",
        }
    }

    /// `Cache-Control` of an answer that took a token or a credential: for no shared cache.
    pub fn cache_control_for_one(self) -> &'static str {
        match self {
            ObjectKind::Pointer => "private, max-age=60",
            _ => "private, max-age=31536000, immutable",
        }
    }
}

impl<'p> AssetPath<'p> {
    /// None for what is no object of an asset, and where it could be of two.
    pub fn of(path: &'p str) -> Option<AssetPath<'p>> {
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.');
        let odd = |c: char| c.is_control() || c == '\\';
        if !path.split('/').all(plain) || path.contains(odd) {
            return None;
        }
        // Ends of the parts before each one that is named as a generation; the first is an asset's.
        let mut generations = path
            .match_indices('/')
            .map(|(at, _)| at)
            .filter(|&at| begins_generation(&path[at + 1..]));
        match (generations.next(), generations.next()) {
            (Some(at), None) => {
                let (generation, name) = path[at + 1..].split_once('/')?;
                let kind = ObjectKind::in_generation(name);
                Some(AssetPath { asset: &path[..at], generation: Some(generation), name, kind })
            }
            (None, _) => {
                let (asset, name) = path.rsplit_once('/')?;
                let pointer = matches!(name, "index.m3u8" | "asset.json");
                let kind = ObjectKind::Pointer;
                pointer.then_some(AssetPath { asset, generation: None, name, kind })
            }
            _ => None,
        }
    }
}

/// Whether a path leads to what is private of a generation, wherever the path begins.
pub fn is_private(path: &str) -> bool {
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if begins_generation(part) && parts.peek() == Some(&PRIVATE) {
            return true;
        }
    }
    false
}

/// Whether the first part is the name of a generation.
fn begins_generation(path: &str) -> bool {
    GenerationName::parse(path.split('/').next().unwrap_or(path)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_an_asset() {
        let of = |path| AssetPath::of(path).map(|it| (it.asset, it.name, it.kind));
        let pointer = |asset, name| Some((asset, name, ObjectKind::Pointer));
        let object = |asset, name| Some((asset, name, ObjectKind::Object));
        assert_eq!(of("talk/index.m3u8"), pointer("talk", "index.m3u8"));
        assert_eq!(of("shows/talk/asset.json"), pointer("shows/talk", "asset.json"));
        let low = "hls/low/index.m3u8";
        assert_eq!(of("talk/g0001-44122a99/hls/low/index.m3u8"), object("talk", low));
        assert_eq!(of("talk/g0001r12-44122a99/hls/low/index.m3u8"), object("talk", low));
        assert_eq!(of("shows/talk/g10001-44122a99/a.jpg"), object("shows/talk", "a.jpg"));
        // No generation's name: it takes a token for all below.
        assert_eq!(of("talk/g1/low/index.m3u8"), pointer("talk/g1/low", "index.m3u8"));
        // The first part is a name, whatever it looks like.
        assert_eq!(of("g0001-44122a99/index.m3u8"), pointer("g0001-44122a99", "index.m3u8"));
        assert_eq!(of("g0001-44122a99/g0002-44122a99/a"), object("g0001-44122a99", "a"));
    }

    #[test]
    fn some_objects_are_for_no_viewer() {
        let kind =
            |name: &str| AssetPath::of(&format!("talk/g0001-44122a99/{name}")).map(|it| it.kind);
        assert_eq!(kind("private/mp4/web.mp4"), Some(ObjectKind::Private));
        assert_eq!(kind("receipt.json"), Some(ObjectKind::Receipt));
        assert_eq!(kind("hls/receipt.json"), Some(ObjectKind::Object));
        // Nothing of that name is in a receipt.
        assert_eq!(kind("PRIVATE/mp4/web.mp4"), Some(ObjectKind::Object));
        for (path, private) in [
            ("talk/g0001-44122a99/private/mp4/web.mp4", true),
            ("talk/g0001r12-44122a99/private/mp4/web.mp4", true),
            ("talk/g0001r-44122a99/private/mp4/web.mp4", false),
            ("g0001-44122a99/private/web.mp4", true),
            ("/srv/published/talk/g0001-44122a99/private", true),
            ("talk/private/web.mp4", false),
            ("talk/g0001-44122a99/hls/private/a", false),
            ("private/g0001-44122a99/a", false),
        ] {
            assert_eq!(is_private(path), private, "{path}");
        }
    }

    #[test]
    fn what_took_a_token_is_for_no_shared_cache() {
        for kind in
            [ObjectKind::Pointer, ObjectKind::Object, ObjectKind::Receipt, ObjectKind::Private]
        {
            assert!(kind.cache_control_for_one().starts_with("private, "), "{kind:?}");
        }
        assert!(ObjectKind::Private.cache_control().starts_with("private, "));
    }

    #[test]
    fn what_is_no_object_of_one_asset() {
        for path in [
            "",
            "index.m3u8",
            "talk",
            "talk/other.m3u8",
            "talk/g0001-44122a99",
            "talk/g0001-44122A99/a",
            "talk/g0001-44122a99/x/g0002-44122a99/a",
            "talk/../other/index.m3u8",
            "talk/./index.m3u8",
            "/talk/index.m3u8",
            "talk//index.m3u8",
            "talk/.hidden/index.m3u8",
            "talk\\..\\other/index.m3u8",
            "talk\n/index.m3u8",
        ] {
            assert_eq!(AssetPath::of(path), None, "{path}");
        }
    }
}
