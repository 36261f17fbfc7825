//! A media playlist with other keys: everything else stays byte for byte.

use std::collections::HashMap;

use vodmill_keys::{ClearKeys, Iv, Kid, SegmentKey};
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
#[derive(Debug, Default)]
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
    let mut writer = Writer { name, old, new, made: Rewritten::default(), key: None, range: None };
    text.split_inclusive('\n').try_for_each(|line| writer.take(line))?;
    Ok(writer.made)
}

struct Writer<'a> {
    name: &'a str,
    old: &'a ClearKeys,
    new: &'a ClearKeys,
    made: Rewritten,
    /// The EXT-X-KEY that holds for the next segment, and where it stands in what was written.
    key: Option<(usize, String)>,
    /// Length and offset of the next segment in its object.
    range: Option<(u64, u64)>,
}

impl Writer<'_> {
    fn take(&mut self, line: &str) -> Result<(), Failed> {
        let bare = line.trim_end();
        if bare.starts_with("#EXT-X-KEY:") {
            self.key = Some((self.made.text.len(), line.to_owned()));
        } else if let Some(range) = bare.strip_prefix("#EXT-X-BYTERANGE:") {
            let (length, offset) = range.split_once('@').unwrap_or((range, ""));
            let range = length.parse().ok().zip(offset.parse().ok());
            self.range = Some(range.ok_or_else(|| self.odd("a byte range without an offset"))?);
        } else if !bare.is_empty() && !bare.starts_with('#') {
            self.segment(bare)?;
        }
        self.made.text.push_str(line);
        Ok(())
    }

    fn segment(&mut self, uri: &str) -> Result<(), Failed> {
        let range = self.range.take();
        // Every piece has an IV, and so a line, of its own.
        let Some((at, line)) = self.key.take() else { return Err(self.odd("a clear segment")) };
        let object = match self.name.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{uri}"),
            None => uri.to_owned(),
        };
        let pieces = self.made.pieces.entry(object.clone()).or_default();
        let number = pieces.len() as u64;
        let (kid, iv) = (kid_of(&line), iv_of(&line));
        let period = kid.and_then(|kid| self.old.period_of(&kid));
        let known = iv == Some(self.old.iv(&object, number));
        let (Some(period), Some(kid), Some(iv), true) = (period, kid, iv, known) else {
            return Err(self.odd(format!("a key of {object} that is not its generation's")));
        };
        let keys = self.old.period(period).zip(self.new.period(period));
        let Some(((_, from), (new_kid, to))) = keys else {
            return Err(self.odd("more key periods than there are keys"));
        };
        let new_iv = self.new.iv(&object, number);
        let (length, offset) = range.map_or((None, 0), |(length, offset)| (Some(length), offset));
        pieces.push(Piece { offset, length, from: (from, iv), to: (to, new_iv) });
        let replaced = replace_hex(&line, &kid.to_string(), &new_kid.to_string());
        let replaced = replace_hex(&replaced, &iv.to_hex(), &new_iv.to_hex());
        self.made.text.replace_range(at..at + line.len(), &replaced);
        Ok(())
    }

    fn odd(&self, what: impl std::fmt::Display) -> Failed {
        Failed::new(format!("put other keys into {}", self.name), what)
    }
}

/// The value of an attribute, quoted or not.
fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let begin = [":", ","].iter().find_map(|before| {
        let mark = format!("{before}{name}=");
        line.find(&mark).map(|at| at + mark.len())
    })?;
    let rest = &line[begin..];
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split([',', '\r', '\n']).next(),
    }
}

/// The first 32 hex digits in the URI that are no part of more.
fn kid_of(line: &str) -> Option<Kid> {
    let uri = attribute(line, "URI")?;
    uri.split(|c: char| !c.is_ascii_hexdigit()).find_map(Kid::from_hex)
}

fn iv_of(line: &str) -> Option<Iv> {
    let iv = attribute(line, "IV")?;
    Iv::from_hex(iv.strip_prefix("0x").or_else(|| iv.strip_prefix("0X"))?)
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
        let mut text = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-MAP:URI=\"init.mp4\"\n".to_owned();
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
            format!("#EXTM3U\n{}{}", piece((0, "32@700")), piece((1, "48@732")))
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
