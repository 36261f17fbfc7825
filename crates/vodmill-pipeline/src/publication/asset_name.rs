//! Names of assets: safe in a path and in a URL, and such that people know their film again.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use deunicode::deunicode_with_tofu;

use crate::file::sha256;

/// Longest name, in bytes: a digest and a generation still fit beside it.
const LONGEST: usize = 80;

/// Names that mean something else in the path of an object: clear media of encrypted packages lie
/// under `private/`, and whoever serves packages denies that; the rest are devices on Windows,
/// where a package may be copied to.
const RESERVED: [&str; 11] =
    ["private", "con", "prn", "aux", "nul", "com1", "com2", "com3", "lpt1", "lpt2", "lpt3"];

/// The name that an asset would like. One that is safe stays as it is. Any other is written in plain
/// letters: `Team Meeting – Ü 2026` is `team-meeting-u-2026`. Two may want the same one: the first
/// gets it, and another has a digest of its original behind it.
pub(crate) fn asset_name(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    let text = stem.to_string_lossy();
    let name = match is_safe(&text) {
        true => text.into_owned(),
        false => slug(&text),
    };
    let mark = || sha256(stem.as_bytes())[..6].to_owned();
    if name.is_empty() {
        return format!("untitled-{}", mark());
    }
    let first = name.split('.').next().unwrap_or_default();
    match RESERVED.iter().any(|reserved| first.eq_ignore_ascii_case(reserved)) {
        true => format!("{}-{}", name.replace('.', "-"), mark()),
        false => name,
    }
}

fn is_safe(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let ends = ['-', '.'];
    !text.is_empty()
        && text.len() <= LONGEST
        && text.chars().all(good)
        && !text.starts_with(ends)
        && !text.ends_with(ends)
}

/// Lower-case letters, digits, dots and underscores; whatever else lies between them is one dash.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in deunicode_with_tofu(text, "-").chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || "._".contains(c) => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    // All of it is ASCII now.
    slug.truncate(LONGEST);
    slug.trim_matches(['-', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn name(file: &str) -> String {
        asset_name(Path::new(file))
    }

    #[test]
    fn names_are_written_in_plain_letters() {
        for (file, asset) in [
            ("bbb_5s.mp4", "bbb_5s"),
            ("Film.v2.mov", "Film.v2"),
            ("Team Meeting – Ü 2026.mp4", "team-meeting-u-2026"),
            ("it's é b+c%20d.mp4", "it-s-e-b-c-20d"),
            ("-dash.mp4", "dash"),
            ("%03d.mp4", "03d"),
            ("Ærø Straße Łódź.mov", "aero-strasse-lodz"),
            ("Привет мир.mkv", "privet-mir"),
            ("日本.mp4", "ri-ben"),
        ] {
            assert_eq!(name(file), asset, "{file}");
        }
    }

    #[test]
    fn every_name_is_safe_short_and_none_is_empty_or_reserved() {
        let long = "Ü".repeat(300);
        for file in [
            "..mp4",
            ".mp4",
            "…….mp4",
            "???.mov",
            "private.mp4",
            "PRIVATE.mp4",
            "Private .mp4",
            "con.mp4",
            "NUL.x.mp4",
            "\u{202e}gpj.mp4",
            "a\u{0}b.mp4",
            "\n\r\t.mp4",
            "🎬.mp4",
            &long,
            "--.mp4",
            "a/../b",
            "\u{fffd}.mp4",
            "ﷺ.mp4",
            "a\u{0301}.mp4",
        ] {
            let made = name(file);
            assert!(is_safe(&made), "{file:?}: {made:?}");
            let first = made.split('.').next().unwrap_or_default();
            assert!(!RESERVED.iter().any(|name| first.eq_ignore_ascii_case(name)), "{made}");
        }
        let bytes = asset_name(Path::new(OsStr::from_bytes(b"\xff\xfe\xe5.mov")));
        assert!(is_safe(&bytes), "{bytes}");
    }
}
