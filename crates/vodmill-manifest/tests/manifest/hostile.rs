//! Playlists as they should not be: an error with a line, never a panic.

use vodmill_manifest::hls::{
    MAX_PLAYLIST_BYTES, MediaPlaylist, MultivariantPlaylist, ParseProblem,
};

use crate::{Numbers, golden};

const HEAD: &str = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n";

fn media(body: &str) -> (usize, ParseProblem) {
    let error = MediaPlaylist::parse(format!("{HEAD}{body}").as_bytes()).unwrap_err();
    (error.line, error.problem)
}

fn multivariant(body: &str) -> (usize, ParseProblem) {
    let error = MultivariantPlaylist::parse(format!("#EXTM3U\n{body}").as_bytes()).unwrap_err();
    (error.line, error.problem)
}

#[test]
fn lines_that_are_wrong_are_named() {
    let cases = [
        ("a.ts\n", 4, "EXTINF is missing"),
        ("#EXTINF:6\na.ts\n", 4, "EXTINF has the bad value"),
        ("#EXTINF:-6,\na.ts\n", 4, "EXTINF"),
        ("#EXTINF:6.,\na.ts\n", 4, "EXTINF"),
        ("#EXTINF:99999999999999999999,\na.ts\n", 4, "EXTINF"),
        ("#EXTINF:1.0123456789,\na.ts\n", 4, "EXTINF"),
        ("#EXTINF:6,\n#EXTINF:6,\na.ts\n", 5, "more than once"),
        ("#EXTINF:6,\n", 0, "URI of the last segment"),
        ("#EXTINF:0.0,\na.ts\n", 0, "no duration"),
        ("#EXTINF:7,\na.ts\n", 0, "a segment needs 7"),
        ("#EXTINF:6,\na b.ts\n", 5, "not a URI"),
        ("#EXT-X-VERSION:6\n", 4, "more than once"),
        ("#EXT-X-KEY:URI=\"k\"\n", 4, "METHOD is missing"),
        ("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n", 4, "not supported"),
        ("#EXT-X-KEY:METHOD=AES-128\n", 4, "URI is missing"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=k\n", 4, "URI has the bad value"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x12\n", 4, "IV"),
        ("#EXT-X-KEY:METHOD=AES-128,METHOD=NONE\n", 4, "more than once"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\nx\n", 4, "attribute list"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"i\"\n", 5, "encrypted EXT-X-MAP"),
        ("#EXT-X-MAP:URI=\"i\"\n#EXT-X-MAP:URI=\"j\"\n", 5, "more than once"),
        ("#EXTINF:6,\n#EXT-X-BYTERANGE:5\na.ts\n", 6, "offset of EXT-X-BYTERANGE"),
        ("#EXTINF:6,\n#EXT-X-BYTERANGE:0@5\na.ts\n", 6, "BYTERANGE"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", 4, "does not belong"),
        ("#EXT-X-DISCONTINUITY\n", 4, "not supported"),
        ("#EXT-X-ENDLIST\n#EXTINF:6,\na.ts\n", 6, "after EXT-X-ENDLIST"),
        ("", 0, "no entries"),
    ];
    for (body, line, text) in cases {
        let (found, problem) = media(body);
        assert_eq!(found, line, "{body:?}: {problem}");
        assert!(problem.to_string().contains(text), "{body:?}: {problem}");
    }
}

#[test]
fn multivariant_lines_that_are_wrong_are_named() {
    let cases = [
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:4\na\n", 3, "URI line"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\n", 0, "URI line"),
        ("a.m3u8\n", 2, "EXT-X-STREAM-INF is missing"),
        ("#EXT-X-STREAM-INF:CODECS=\"a\"\na\n", 2, "BANDWIDTH is missing"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1080\na\n", 2, "RESOLUTION"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=25.0000\na\n", 2, "FRAME-RATE"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"x\"\na\n", 0, "not defined"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=\"x\"\na\n", 2, "closed captions"),
        ("#EXT-X-STREAM-INF:\na\n", 2, "attribute list"),
        ("#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"v\",NAME=\"v\"\n", 2, "not supported"),
        ("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"v\"\n", 2, "NAME is missing"),
        ("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"v\",NAME=\"v\",DEFAULT=yes\n", 2, "DEFAULT"),
        ("#EXTINF:6,\n", 2, "does not belong"),
    ];
    for (body, line, text) in cases {
        let (found, problem) = multivariant(body);
        assert_eq!(found, line, "{body:?}: {problem}");
        assert!(problem.to_string().contains(text), "{body:?}: {problem}");
    }
}

#[test]
fn what_is_no_playlist_is_refused() {
    for bytes in [&b""[..], b"\xef\xbb\xbf#EXTM3U\n", b"#EXTM3U8\n", b"#EXTM3U\n\xff", b"<html>"] {
        assert!(MediaPlaylist::parse(bytes).is_err());
        assert!(MultivariantPlaylist::parse(bytes).is_err());
    }
    let large = vec![b'#'; MAX_PLAYLIST_BYTES + 1];
    let error = MediaPlaylist::parse(&large).unwrap_err();
    assert_eq!(error.problem, ParseProblem::TooLarge(MAX_PLAYLIST_BYTES));
    let low = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na\n";
    let error = MediaPlaylist::parse(low.as_bytes()).unwrap_err();
    assert_eq!(error.problem, ParseProblem::Version { declared: 1, needed: 3 });
}

#[test]
fn what_others_write_is_read() {
    let text = "#EXTM3U\r\n# a comment\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:6\r\n\
                #EXT-X-UNKNOWN:1\r\n\r\n#EXT-X-KEY:METHOD=NONE\r\n#EXTINF:6,a title, with comma\r\n\
                #EXT-X-BYTERANGE:5@0\r\na.ts\r\n#EXTINF:5.5,\r\n#EXT-X-BYTERANGE:7\r\na.ts";
    let parsed = MediaPlaylist::parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.version, 7);
    let second = &parsed.playlist.segments[1];
    assert_eq!(second.byte_range.map(|range| (range.length, range.offset)), Some((7, 5)));
    assert!(!parsed.playlist.ended && !parsed.playlist.vod);
}

#[test]
fn mutations_never_panic() {
    let texts = [golden::full().write().unwrap(), include_str!("../golden/i-frames.m3u8").into()];
    let mut numbers = Numbers(9);
    for text in texts {
        for _ in 0..5_000 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=numbers.next(5) {
                let at = numbers.next(bytes.len() as u64) as usize;
                match numbers.next(3) {
                    0 => bytes[at] = b"\",=#\n:@0x.-"[numbers.next(11) as usize],
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, numbers.next(256) as u8),
                }
            }
            // Whatever is accepted can be written again.
            if let Ok(parsed) = MediaPlaylist::parse(&bytes) {
                parsed.playlist.write().unwrap();
            }
            if let Ok(parsed) = MultivariantPlaylist::parse(&bytes) {
                parsed.playlist.write().unwrap();
            }
        }
    }
}
