//! A media playlist with other keys: everything else stays byte for byte.

use std::collections::HashMap;

use vodmill_keys::{ClearKeys, Iv, Kid, SegmentKey};
use vodmill_manifest::hls::{MediaPlaylist, Segment};
use vodmill_model::Failed;

/// An encrypted part of an object, and what it is encrypted with, before and after.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Where it begins in its object; it goes on for `length` bytes, or to the end.
    pub offset: u64,
    pub length: Option<u64>,
    pub from: (SegmentKey, Iv),
    pub to: (SegmentKey, Iv),
}

/// A playlist, rewritten.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub text: String,
    /// The pieces of each object, in their order.
    pub pieces: HashMap<String, Vec<Piece>>,
}

/// Puts the keys of `new` where those of `old` are. `name` is the playlist's in its generation.
///
/// # Errors
/// `Failed` where the playlist does not say what the keys of `old` would have it say.
pub(super) fn rewrite(
    name: &str,
    text: &str,
    old: &ClearKeys,
    new: &ClearKeys,
) -> Result<Rewritten, Failed> {
    let stage = || format!("put other keys into {name}");
    let playlist = MediaPlaylist::read(text.as_bytes());
    let playlist = playlist.map_err(|error| Failed::from_error(stage(), &error))?;
    let mut pieces: HashMap<String, Vec<Piece>> = HashMap::new();
    let mut changes = Vec::new();
    for segment in &playlist.segments {
        let object = beside(name, &segment.uri);
        let of_object = pieces.entry(object.clone()).or_default();
        let change = change(segment, &object, of_object.len() as u64, old, new);
        let change = change.map_err(|what| Failed::new(stage(), what))?;
        of_object.push(Piece::of(segment, &change));
        changes.push(change);
    }
    let text = replaced(text, &changes).ok_or_else(|| {
        // Every piece has an IV, and so a line, of its own.
        Failed::new(stage(), "there are not as many keys as segments")
    })?;
    Ok(Rewritten { text, pieces })
}

/// The name of an object in the folder of a playlist.
fn beside(playlist: &str, uri: &str) -> String {
    match playlist.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{uri}"),
        None => uri.to_owned(),
    }
}

impl Piece {
    fn of(segment: &Segment, change: &Change) -> Piece {
        Piece {
            offset: segment.byte_range.map_or(0, |range| range.offset),
            length: segment.byte_range.map(|range| range.length),
            from: change.from.clone(),
            to: change.to.clone(),
        }
    }
}

/// What a line of EXT-X-KEY says, before and after.
struct Change {
    kid: Kid,
    new_kid: Kid,
    from: (SegmentKey, Iv),
    to: (SegmentKey, Iv),
}

/// Other keys for one segment, piece `number` of its object.
fn change(
    segment: &Segment,
    object: &str,
    number: u64,
    old: &ClearKeys,
    new: &ClearKeys,
) -> Result<Change, String> {
    let reference = segment.key.as_ref().ok_or("a clear segment")?;
    let foreign = || format!("a key of {object} that is not its generation's");
    let kid = Kid::in_uri(&reference.uri).ok_or_else(foreign)?;
    let period = old.period_of(&kid).ok_or_else(foreign)?;
    let iv = reference.iv.map(Iv::from_bytes).filter(|iv| *iv == old.iv(object, number));
    let iv = iv.ok_or_else(foreign)?;
    let keys = old.period(period).zip(new.period(period));
    let ((_, from), (new_kid, to)) = keys.ok_or("more key periods than there are keys")?;
    Ok(Change { kid, new_kid, from: (from, iv), to: (to, new.iv(object, number)) })
}

/// The text with every change made in its line; none where there are not as many lines.
fn replaced(text: &str, changes: &[Change]) -> Option<String> {
    let mut made = String::with_capacity(text.len());
    let mut changes = changes.iter();
    for line in text.split_inclusive('\n') {
        if !line.starts_with("#EXT-X-KEY:") {
            made.push_str(line);
            continue;
        }
        let change = changes.next()?;
        let line = replace_hex(line, &change.kid.to_string(), &change.new_kid.to_string());
        made.push_str(&replace_hex(&line, &change.from.1.to_hex(), &change.to.1.to_hex()));
    }
    changes.next().is_none().then_some(made)
}

/// Puts `to` where `from` stands, in whichever case its digits are.
fn replace_hex(line: &str, from: &str, to: &str) -> String {
    match line.to_ascii_lowercase().find(from) {
        Some(at) => {
            let is_upper = line[at..at + from.len()].contains(|c: char| c.is_ascii_uppercase());
            let to = if is_upper { to.to_ascii_uppercase() } else { to.to_owned() };
            format!("{}{to}{}", &line[..at], &line[at + from.len()..])
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use vodmill_keys::KeySet;

    use super::*;

    fn keys(periods: usize) -> ClearKeys {
        ClearKeys::from(&KeySet::generate(periods).unwrap())
    }

    fn playlist(keys: &ClearKeys) -> String {
        let mut text =
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXT-X-MAP:URI=\"init.mp4\"\n"
                .to_owned();
        for (number, period) in [(0, 0), (1, 0), (2, 1)] {
            let uri = format!("{number:06}.m4s");
            let kid = keys.period(period).unwrap().0;
            let iv = keys.iv(&format!("hls/low/{uri}"), 0).to_hex();
            text.push_str(&format!(
                "#EXT-X-KEY:METHOD=AES-128,URI=\"https://k.example/0123456789abcdef/k/{kid}?v=1\",IV=0x{iv}\n\
                 #EXTINF:6.00000,\n{uri}\n"
            ));
        }
        text + "#EXT-X-ENDLIST\n"
    }

    #[test]
    fn keys_are_replaced_and_nothing_else() {
        let (old, new) = (keys(2), keys(2));
        let made = rewrite("hls/low/index.m3u8", &playlist(&old), &old, &new).unwrap();
        assert_eq!(made.text, playlist(&new));
        let pieces = &made.pieces["hls/low/000002.m4s"];
        assert_eq!(pieces.len(), 1);
        assert_eq!((pieces[0].offset, pieces[0].length), (0, None));
        assert_eq!(pieces[0].from.0, old.period(1).unwrap().1);
        assert_eq!(pieces[0].to.0, new.period(1).unwrap().1);
    }

    #[test]
    fn pieces_of_one_object_are_counted() {
        let (old, new) = (keys(1), keys(1));
        let text = |keys: &ClearKeys| {
            let kid = keys.period(0).unwrap().0;
            let piece = |(number, range): (u64, &str)| {
                let iv = keys.iv("hls/low/iframes-0.ts", number).to_hex();
                format!(
                    "#EXT-X-KEY:METHOD=AES-128,URI=\"/k/{kid}\",IV=0x{iv}\n#EXTINF:2,\n\
                     #EXT-X-BYTERANGE:{range}\niframes-0.ts\n"
                )
            };
            format!(
                "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:6\n{}{}",
                piece((0, "32@700")),
                piece((1, "48@732"))
            )
        };
        let made = rewrite("hls/low/iframes.m3u8", &text(&old), &old, &new).unwrap();
        assert_eq!(made.text, text(&new));
        let ranges: Vec<_> =
            made.pieces["hls/low/iframes-0.ts"].iter().map(|it| (it.offset, it.length)).collect();
        assert_eq!(ranges, [(700, Some(32)), (732, Some(48))]);
    }

    #[test]
    fn what_other_keys_made_is_refused() {
        let (old, other) = (keys(2), keys(2));
        let text = playlist(&old);
        for (text, keys) in [
            (text.clone(), &other),
            (text.replace("000001.m4s", "000009.m4s"), &old),
            (text.replace("#EXT-X-KEY", "#EXT-X-NO-KEY"), &old),
        ] {
            assert!(rewrite("hls/low/index.m3u8", &text, keys, &keys.clone()).is_err(), "{text}");
        }
    }
}
