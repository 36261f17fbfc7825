//! Content types by the endings of names: the one table of what is published, synced and served.

/// What a file of this name is served as; `application/octet-stream` where the ending is unknown.
pub fn content_type(name: &str) -> &'static str {
    let file = name.rsplit('/').next().unwrap_or(name);
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = TYPES
        .iter()
        .find(|(_, endings)| endings.split(' ').any(|known| known.eq_ignore_ascii_case(ending)));
    known.filter(|_| !ending.is_empty()).map_or("application/octet-stream", |(it, _)| it)
}

const TYPES: [(&str, &str); 36] = [
    ("application/vnd.apple.mpegurl", "m3u8"),
    ("application/dash+xml", "mpd"),
    ("video/mp2t", "ts"),
    ("video/mp4", "mp4 m4s m4v cmfv"),
    ("audio/mp4", "m4a cmfa"),
    ("audio/aac", "aac"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "oga ogg opus"),
    ("audio/flac", "flac"),
    ("audio/wav", "wav"),
    ("video/webm", "webm"),
    ("video/quicktime", "mov"),
    ("video/x-matroska", "mkv"),
    ("text/vtt; charset=utf-8", "vtt"),
    ("application/ttml+xml", "ttml"),
    ("image/jpeg", "jpg jpeg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("image/avif", "avif"),
    ("image/gif", "gif"),
    ("image/svg+xml", "svg"),
    ("image/x-icon", "ico"),
    ("text/html; charset=utf-8", "html htm"),
    ("text/css; charset=utf-8", "css"),
    ("text/javascript; charset=utf-8", "js mjs"),
    ("text/plain; charset=utf-8", "txt"),
    ("text/markdown; charset=utf-8", "md"),
    ("text/csv; charset=utf-8", "csv"),
    ("application/json", "json map"),
    ("application/manifest+json", "webmanifest"),
    ("application/xml", "xml"),
    ("application/wasm", "wasm"),
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("font/woff2", "woff2"),
    ("font/woff", "woff"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_by_the_last_ending() {
        for (name, wanted) in [
            ("a/index.m3u8", "application/vnd.apple.mpegurl"),
            ("a/b.json/0.ts", "video/mp2t"),
            ("0.m4s", "video/mp4"),
            ("POSTER.JPG", "image/jpeg"),
            ("page.html", "text/html; charset=utf-8"),
            ("README", "application/octet-stream"),
            ("a.js/README", "application/octet-stream"),
            ("ends.", "application/octet-stream"),
            ("a.unknown", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), wanted, "{name}");
        }
    }
}
