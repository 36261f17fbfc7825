//! Which asset an object belongs to, by its path below a destination: `ASSET/index.m3u8`,
//! `ASSET/asset.json`, or `ASSET/GENERATION/…`. No store is asked: paths are how vodmill writes them.

/// Of a generation's number, at least.
const DIGITS: usize = 4;

/// Of the mark behind it.
const MARK: usize = 8;

/// An object of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AssetPath<'p> {
    /// The asset's name, perhaps with slashes.
    pub(crate) asset: &'p str,
    /// Whether it is below `private/`: for no viewer.
    pub(crate) private: bool,
}

impl<'p> AssetPath<'p> {
    /// None for what is no object of an asset, and where it could be of two.
    pub(crate) fn of(path: &'p str) -> Option<AssetPath<'p>> {
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
                let (_, inner) = path[at + 1..].split_once('/')?;
                Some(AssetPath { asset: &path[..at], private: inner.starts_with("private/") })
            }
            (None, _) => {
                let (asset, name) = path.rsplit_once('/')?;
                let pointer = matches!(name, "index.m3u8" | "asset.json");
                pointer.then_some(AssetPath { asset, private: false })
            }
            _ => None,
        }
    }
}

/// Whether the first part is named as a generation is: `g0001-44122a99`.
fn begins_generation(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or(path);
    let Some((number, mark)) = first.strip_prefix('g').and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    number.len() >= DIGITS
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && mark.len() == MARK
        && mark.bytes().all(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_an_asset() {
        let of = |path| AssetPath::of(path).map(|it| (it.asset, it.private));
        assert_eq!(of("talk/index.m3u8"), Some(("talk", false)));
        assert_eq!(of("shows/talk/asset.json"), Some(("shows/talk", false)));
        assert_eq!(of("talk/g0001-44122a99/hls/low/index.m3u8"), Some(("talk", false)));
        assert_eq!(of("shows/talk/g10001-44122a99/a.jpg"), Some(("shows/talk", false)));
        assert_eq!(of("talk/g0001-44122a99/private/mp4/web.mp4"), Some(("talk", true)));
        // No generation's name: it takes a token for all below.
        assert_eq!(of("talk/g1/low/index.m3u8"), Some(("talk/g1/low", false)));
        // The first part is a name, whatever it looks like.
        assert_eq!(of("g0001-44122a99/index.m3u8"), Some(("g0001-44122a99", false)));
        assert_eq!(of("g0001-44122a99/g0002-44122a99/a"), Some(("g0001-44122a99", false)));
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
