//! A first look at a file, before libav sees it.

use std::ffi::CStr;
use std::io::Read;
use std::path::Path;

use memchr::memmem;
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

/// What image files begin with.
const PHOTOGRAPHS: &[(&[u8], &str)] = &[
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"SDPX", "DPX"),
    (b"XPDS", "DPX"),
    (b"qoif", "QOI"),
];

/// Brands of files that hold pictures without time (ISO/IEC 23008-12, 10; AV1 Image File Format, 6).
const STILL_BRANDS: &[(&[u8; 4], &str)] = &[
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"heic", "HEIC"),
    (b"heix", "HEIC"),
    (b"heim", "HEIC"),
    (b"heis", "HEIC"),
    (b"hevc", "HEIC"),
    (b"hevx", "HEIC"),
    (b"mif1", "HEIF"),
    (b"mif2", "HEIF"),
    (b"msf1", "HEIF"),
    (b"miaf", "HEIF"),
];

/// What kind of image file begins like this, if it is one.
pub(super) fn photograph(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some("WebP");
    }
    // The size of a bitmap's second header tells more than two letters.
    if head.starts_with(b"BM")
        && matches!(head.get(14..18), Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]))
    {
        return Some("BMP");
    }
    if head.get(4..8) == Some(b"ftyp") {
        let brand = head.get(8..12)?;
        return STILL_BRANDS.iter().find(|(known, _)| *known == brand).map(|(_, kind)| *kind);
    }
    PHOTOGRAPHS.iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, kind)| *kind)
}

/// The same of a file.
pub(crate) fn photograph_at(path: &Path) -> Result<Option<&'static str>, MediaError> {
    let mut head = Vec::new();
    Original::open(path)?
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|cause| error::file("read", path, &cause))?;
    Ok(photograph(&head))
}

/// libav's name of the format of an image file: by the name of a file it would take it for one of a
/// series of numbered files. An animation of PNGs is none.
fn image_format(head: &[u8]) -> Option<&'static CStr> {
    match photograph(head)? {
        "JPEG" => Some(c"jpeg_pipe"),
        "PNG" if memmem::find(head, b"acTL").is_none() => Some(c"png_pipe"),
        "WebP" => Some(c"webp_pipe"),
        "TIFF" => Some(c"tiff_pipe"),
        "BMP" => Some(c"bmp_pipe"),
        _ => None,
    }
}

/// Refuses empty files, text, and text that points at other files; of an image it says how libav is
/// to open it.
pub(super) fn refuse_what_is_not_media(
    original: &mut Original,
    path: &Path,
) -> Result<Option<&'static CStr>, MediaError> {
    let mut head = Vec::new();
    original
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|cause| error::file("read", path, &cause))?;
    refuse_by_head(&head)?;
    Ok(image_format(&head))
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
