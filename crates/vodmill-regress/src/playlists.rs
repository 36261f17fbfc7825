//! What a playlist says, without what is another in every run: keys, sizes, names of generations.

use std::collections::BTreeMap;

/// Attributes whose values hang on keys or bytes: only that they are there counts.
const VOLATILE: [&str; 5] = ["BANDWIDTH", "AVERAGE-BANDWIDTH", "IV", "BYTERANGE", "KEYID"];

/// Tags of which there is one for each segment: how many there are counts.
const OF_SEGMENTS: [&str; 2] = ["EXTINF", "EXT-X-BYTERANGE"];

/// The tags of a playlist; `generation` is left out of its URIs.
pub fn tags(playlist: &str, generation: &str) -> BTreeMap<String, String> {
    let text = playlist.replace(&format!("{generation}/"), "");
    let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(tag) = line.strip_prefix('#').filter(|tag| tag.starts_with("EXT")) else {
            continue;
        };
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        let of = match name {
            "EXT-X-STREAM-INF" => lines.peek().map(|uri| format!(" {uri}")),
            "EXT-X-I-FRAME-STREAM-INF" => attribute(value, "URI=").map(|uri| format!(" {uri}")),
            "EXT-X-MEDIA" => attribute(value, "NAME=").map(|name| format!(" {name}")),
            _ => None,
        };
        let of = of.unwrap_or_default();
        *counts.entry((format!("{name}{of}"), said(name, value))).or_default() += 1;
    }
    told(counts)
}

/// What counts of a tag's value.
fn said(name: &str, value: &str) -> String {
    if OF_SEGMENTS.contains(&name) {
        return String::new();
    }
    if !value.contains('=') {
        return value.to_owned();
    }
    let of_key = ["EXT-X-KEY", "EXT-X-SESSION-KEY"].contains(&name);
    let attributes = attributes(value).into_iter().map(|attribute| {
        let (key, _) = attribute.split_once('=').unwrap_or((attribute, ""));
        if VOLATILE.contains(&key) || (of_key && key == "URI") { key } else { attribute }
    });
    attributes.collect::<Vec<_>>().join(",")
}

/// The value of an attribute, without quotes.
fn attribute<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    let mut values = attributes(list).into_iter().filter_map(|one| one.strip_prefix(name));
    values.next().map(|value| value.trim_matches('"'))
}

/// `A=1,B="x,y"` at its commas, those within quotes left alone.
pub(crate) fn attributes(list: &str) -> Vec<&str> {
    let mut quoted = false;
    let split = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    list.split(split).collect()
}

/// Each tag once; where it says several things, they follow one another.
fn told(counts: BTreeMap<(String, String), u32>) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for ((name, value), count) in counts {
        let times = if count > 1 { format!("{count} times") } else { String::new() };
        let said = [value, times].into_iter().filter(|part| !part.is_empty());
        let said = said.collect::<Vec<_>>().join(" ");
        let entry = all.entry(name).or_default();
        if !entry.is_empty() {
            entry.push_str("; ");
        }
        entry.push_str(&said);
    }
    all
}

/// The name of an object without its number: `hls/low/000001.ts` is `hls/low/*.ts`.
pub fn kind_of(object: &str) -> String {
    let (folder, file) =
        object.rsplit_once('/').map_or(("", object), |(folder, file)| (folder, file));
    let (stem, end) = file.split_once('.').unwrap_or((file, ""));
    let letters = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_number = letters != stem && (letters.is_empty() || letters.ends_with('-'));
    let stem = if is_number { format!("{letters}*") } else { stem.to_owned() };
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let end = if end.is_empty() { String::new() } else { format!(".{end}") };
    format!("{folder}{stem}{end}")
}
