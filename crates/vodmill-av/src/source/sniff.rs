//! A first look at a file, before libav sees it.

use std::io::Read;
use std::path::Path;

use vodmill_model::outcome::{MediaError, Reason};

use crate::error;
use crate::original::Original;

const HEAD_BYTES: u64 = 4096;

/// What text begins with that makes a player open other files.
const POINTERS: &[(&str, &str)] = &[
    ("#extm3u", "an M3U playlist"),
    ("ffconcat", "a concat script"),
    ("file ", "a concat script"),
    ("<?xml", "an XML document, as DASH and Smooth Streaming manifests are"),
    ("<mpd", "a DASH manifest"),
    ("<smoothstreamingmedia", "a Smooth Streaming manifest"),
    ("<asx", "an ASX playlist"),
    ("<smil", "a SMIL document"),
    ("v=0", "an SDP description"),
    ("[playlist]", "a PLS playlist"),
    ("[reference]", "an ASF reference file"),
    ("[internetshortcut]", "a shortcut"),
    ("rtsptext", "an RTSP redirection"),
    ("#!", "a script"),
];

/// Refuses empty files, text, and text that points at other files.
pub(super) fn refuse_what_is_not_media(
    original: &mut Original,
    path: &Path,
) -> Result<(), MediaError> {
    let mut head = Vec::new();
    original
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|cause| error::file("read", path, &cause))?;
    refuse_by_head(&head)
}

/// The same by the first bytes of a file.
pub(super) fn refuse_by_head(head: &[u8]) -> Result<(), MediaError> {
    match classify(head) {
        None => Ok(()),
        Some((reason, detail)) => Err(error::rejected(reason, detail)),
    }
}

fn classify(head: &[u8]) -> Option<(Reason, String)> {
    if head.is_empty() {
        return Some((Reason::Empty, "it has 0 bytes".to_owned()));
    }
    let body = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let start = String::from_utf8_lossy(&body[..body.len().min(64)]).to_ascii_lowercase();
    if let Some((_, what)) = POINTERS.iter().find(|(mark, _)| start.starts_with(mark)) {
        return Some((Reason::Disguised, format!("it is {what}")));
    }
    is_text(head).then(|| (Reason::NotMedia, "it is text".to_owned()))
}

/// Whether nothing in it is a control character that text does not use.
fn is_text(head: &[u8]) -> bool {
    let strange = |&byte: &u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    // A character may be cut at the end of the head.
    let utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && head.len() as u64 == HEAD_BYTES,
    };
    utf8 && !head.iter().any(strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(head: &[u8]) -> Option<Reason> {
        classify(head).map(|(reason, _)| reason)
    }

    #[test]
    fn files_that_point_at_others_are_disguised() {
        for text in
            ["#EXTM3U\n#EXTINF:4,\nfile:///etc/hostname\n", "\u{feff} \n<MPD>", "ffconcat version"]
        {
            assert_eq!(reason(text.as_bytes()), Some(Reason::Disguised), "{text}");
        }
    }

    #[test]
    fn text_and_nothing_are_not_media() {
        assert_eq!(reason(b""), Some(Reason::Empty));
        assert_eq!(reason(b"hello, not a video\n"), Some(Reason::NotMedia));
        assert_eq!(reason(b"\0\0\0\x20ftypisom"), None);
        assert_eq!(reason(b"\x1a\x45\xdf\xa3\x01\0\0\0"), None);
    }
}
