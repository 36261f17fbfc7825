//! What players and caches are told about an object.

use vodmill_store::Headers;

use crate::litter::is_generation;

/// An object of a generation never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The pointer changes with every publication: caches may hold it for a minute.
const SHORT: &str = "public, max-age=60";

/// Objects under the private prefix are for no shared cache.
const PRIVATE: &str = "private, max-age=31536000, immutable";

/// Of an object of a generation, by its name from there.
pub(crate) fn of_object(name: &str) -> Headers {
    let cache = if name.starts_with("private/") { PRIVATE } else { IMMUTABLE };
    headers(name, cache)
}

/// Of an object of the pointer.
pub(crate) fn of_pointer(name: &str) -> Headers {
    headers(name, SHORT)
}

/// Whether an object, by its name, is media: nearly all bytes, and none that a player or `check`
/// has to find fast.
pub(crate) fn is_bulk(name: &str) -> bool {
    matches!(name.rsplit('.').next().unwrap_or_default(), "ts" | "m4s" | "mp4")
}

/// Whether an object of a place of packages is media of a generation.
pub fn is_media(key: &str) -> bool {
    is_bulk(key) && key.split('/').any(is_generation)
}

fn headers(name: &str, cache: &str) -> Headers {
    Headers {
        content_type: Some(content_type(name).to_owned()),
        cache_control: Some(cache.to_owned()),
    }
}

/// RFC 8216, sections 4 and 3; RFC 4337; RFC 8081 and the like for the rest.
fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "m3u8" => "application/vnd.apple.mpegurl",
        "ts" => "video/mp2t",
        "m4s" | "mp4" => "video/mp4",
        "vtt" => "text/vtt",
        "json" => "application/json",
        "jpg" => "image/jpeg",
        _ => "application/octet-stream",
    }
}
