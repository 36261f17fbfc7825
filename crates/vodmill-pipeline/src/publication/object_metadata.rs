//! What players and caches are told about an object.

use vodmill_delivery::{ObjectKind, content_type};
use vodmill_model::GenerationName;
use vodmill_store::Headers;

/// Of an object of a generation, by its name from there.
pub(crate) fn of_object(name: &str) -> Headers {
    headers(name, ObjectKind::in_generation(name))
}

/// Of an object of the pointer.
pub(crate) fn of_pointer(name: &str) -> Headers {
    headers(name, ObjectKind::Pointer)
}

/// Whether an object, by its name, is media: nearly all bytes, and none that a player or `check`
/// has to find fast.
pub(crate) fn is_bulk(name: &str) -> bool {
    matches!(name.rsplit('.').next().unwrap_or_default(), "ts" | "m4s" | "mp4")
}

/// Whether an object of a place of packages is media of a generation.
pub fn is_media(key: &str) -> bool {
    is_bulk(key) && key.split('/').any(|part| GenerationName::parse(part).is_some())
}

fn headers(name: &str, kind: ObjectKind) -> Headers {
    Headers {
        content_type: Some(content_type(name).to_owned()),
        cache_control: Some(kind.cache_control().to_owned()),
    }
}
