//! Names that originals get where they are put away: their own wherever it is free, else one with a
//! number, and never longer than the file system takes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use crate::file::sha256;

/// Bytes of the longest name that file systems take.
const LONGEST: usize = 255;

/// Bytes of an extension, beyond which it is none.
const EXTENSION: usize = 16;

/// Hex digits that stand for what was cut off.
const MARK: usize = 8;

/// The names to try, in turn: its own, then with numbers, each with `end` after its extension.
pub(crate) fn candidates(name: &OsStr, end: &str) -> impl Iterator<Item = OsString> {
    let numbered = |number: u32| fitted(name, &format!(".{number}"), end);
    std::iter::once(fitted(name, "", end)).chain((2..).map(numbered))
}

/// `name` with `mark` before its extension and `end` after it. One that would be too long is cut
/// between characters, and a digest of the whole name stands for what is missing.
pub(crate) fn fitted(name: &OsStr, mark: &str, end: &str) -> OsString {
    fitted_in(LONGEST, name, mark, end)
}

pub(crate) fn fitted_in(longest: usize, name: &OsStr, mark: &str, end: &str) -> OsString {
    let (stem, extension) = parts(name.as_bytes());
    let after = [mark.as_bytes(), extension, end.as_bytes()].concat();
    if stem.len() + after.len() <= longest {
        return OsString::from_vec([stem, &after].concat());
    }
    let digest = format!("~{}", &sha256(name.as_bytes())[..MARK]);
    let room = longest.saturating_sub(after.len() + digest.len());
    OsString::from_vec([cut(stem, room), digest.as_bytes(), &after].concat())
}

/// The hidden name of a file that is not whole yet.
pub(crate) fn hidden(name: &OsStr, end: &str) -> OsString {
    let mut dotted = OsString::from(".");
    dotted.push(name);
    fitted(&dotted, "", end)
}

/// A name as stem and extension with its dot.
fn parts(name: &[u8]) -> (&[u8], &[u8]) {
    let dot = name.iter().rposition(|&byte| byte == b'.');
    let dot = dot.filter(|&dot| dot > 0 && name.len() - dot <= EXTENSION);
    name.split_at(dot.unwrap_or(name.len()))
}

/// At most `room` bytes of a name, not within a character of UTF-8.
fn cut(name: &[u8], room: usize) -> &[u8] {
    let is_inside = |&at: &usize| name.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut at = room.min(name.len());
    // A name of continuation bytes only is no UTF-8.
    while at > room.saturating_sub(3) && is_inside(&at) {
        at -= 1;
    }
    &name[..at]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(name: &str, mark: &str, end: &str) -> String {
        fitted(OsStr::new(name), mark, end).into_string().expect("UTF-8")
    }

    #[test]
    fn names_that_fit_keep_all_they_have() {
        assert_eq!(fit("a.mp4", "", ".reason.txt"), "a.mp4.reason.txt");
        assert_eq!(fit("a.b.mp4", ".2", ""), "a.b.2.mp4");
        assert_eq!(fit("no extension", ".2", ""), "no extension.2");
        assert_eq!(fit(".hidden", ".2", ""), ".hidden.2");
        let first: Vec<_> = candidates(OsStr::new("a.mp4"), "").take(3).collect();
        assert_eq!(first, ["a.mp4", "a.2.mp4", "a.3.mp4"]);
    }

    #[test]
    fn names_of_every_length_stay_short_enough_and_apart() {
        for letter in ["a", "é", "日", "🎬"] {
            for bytes in 200..=LONGEST {
                let stem = letter.repeat((bytes - 4) / letter.len());
                let names = [format!("{stem}.mp4"), format!("{}x.mov", &stem[letter.len()..])];
                let mut made = Vec::new();
                for name in &names {
                    made.extend([".2", ".10"].map(|mark| fit(name, mark, "")));
                    made.extend(["", ".2"].map(|mark| fit(name, mark, ".reason.txt")));
                    made.push(fit(&format!(".{name}"), "", ".part"));
                }
                assert!(made.iter().all(|name| name.len() <= LONGEST), "{made:?}");
                let count = made.len();
                made.sort();
                made.dedup();
                assert_eq!(made.len(), count, "{made:?}");
            }
        }
        let long = fit(&format!("{}.mp4", "a".repeat(251)), ".2", "");
        assert!(long.ends_with(".2.mp4"), "its extension is kept: {long}");
    }

    #[test]
    fn bytes_that_are_no_text_are_cut_too() {
        let name = OsString::from_vec([vec![0xbf; 251], b".mp4".to_vec()].concat());
        assert_eq!(fitted(&name, "", ".reason.txt").len(), LONGEST - 3);
        let latin = OsString::from_vec([vec![0xe5; 251], b".mp4".to_vec()].concat());
        assert_eq!(fitted(&latin, "", ".reason.txt").len(), LONGEST);
    }
}
