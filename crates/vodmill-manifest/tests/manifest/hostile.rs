//! Playlists as they should not be: an error that says what, never a panic.

use std::time::{Duration, Instant};

use vodmill_manifest::hls::{MAX_PLAYLIST_BYTES, MediaPlaylist, MultivariantPlaylist, ReadError};

use crate::{Numbers, golden};

const HEAD: &str = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n";

fn media(body: &str) -> ReadError {
    MediaPlaylist::read(format!("{HEAD}{body}").as_bytes()).expect_err(body)
}

fn multivariant(body: &str) -> ReadError {
    MultivariantPlaylist::read(format!("#EXTM3U\n{body}").as_bytes()).expect_err(body)
}

#[test]
fn what_is_wrong_is_named() {
    let cases = [
        ("a.ts\n", "EXTINF: 0 lines, of which 1 count"),
        ("#EXTINF:6\na.ts\n", "line 4: no comma after the duration"),
        ("#EXTINF:-6,\na.ts\n", "EXTINF has the bad value"),
        ("#EXTINF:x,\na.ts\n", "EXTINF has the bad value"),
        ("#EXTINF:99999999999999999999,\na.ts\n", "a segment needs"),
        ("#EXTINF:6,\n#EXTINF:6,\na.ts\n", "EXTINF: 2 lines, of which 1 count"),
        ("#EXTINF:6,\n", "EXTINF: 1 lines, of which 0 count"),
        ("#EXTINF:0.0,\na.ts\n", "EXTINF has the bad value"),
        ("#EXTINF:7,\na.ts\n", "a segment needs 7"),
        ("#EXTINF:6,one, two\na.ts\n", "URI: 1 lines, of which 2 count"),
        ("#EXTINF:6,\na b.ts\n", "not a URI"),
        ("#EXT-X-VERSION:6\n", "EXT-X-VERSION appears more than once"),
        ("#EXT-X-MEDIA-SEQUENCE:x\n#EXTINF:6,\na.ts\n", "X-MEDIA-SEQUENCE has the bad value"),
        ("#EXTINF:6,\na.ts\n#EXT-X-MEDIA-SEQUENCE:4\n", "EXT-X-MEDIA-SEQUENCE after a segment"),
        ("#EXT-X-PLAYLIST-TYPE:LIVE\n#EXTINF:6,\na.ts\n", "EXT-X-PLAYLIST-TYPE has the bad value"),
        ("#EXT-X-KEY:URI=\"k\"\n#EXTINF:6,\na.ts\n", "EXT-X-KEY: 1 lines, of which 0 count"),
        ("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXTINF:6,\na.ts\n", "not supported"),
        (
            "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"x\"\n#EXTINF:6,\na.ts\n",
            "a KEYFORMAT other than identity",
        ),
        ("#EXT-X-KEY:METHOD=AES-128\n#EXTINF:6,\na.ts\n", "the URI of EXT-X-KEY is missing"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=k\n#EXTINF:6,\na.ts\n", "EXT-X-KEY: 1 lines"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x12\n#EXTINF:6,\na.ts\n", "IV has the bad value"),
        ("#EXT-X-KEY:METHOD=AES-128,METHOD=NONE\n", "line 4: no attribute list"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=\"k\nx\n", "line 4: no attribute list"),
        (
            "#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:6,\na.ts\n",
            "EXT-X-KEY: 2 lines",
        ),
        (
            "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"i\"\n#EXTINF:6,\na.ts\n",
            "an encrypted EXT-X-MAP",
        ),
        ("#EXT-X-MAP:URI=\"i\"\n#EXT-X-MAP:URI=\"j\"\n", "EXT-X-MAP appears more than once"),
        ("#EXTINF:6,\na.ts\n#EXT-X-MAP:URI=\"i\"\n#EXTINF:6,\nb.ts\n", "EXT-X-MAP after a segment"),
        ("#EXTINF:6,\n#EXT-X-BYTERANGE:5\na.ts\n", "EXT-X-BYTERANGE without an offset"),
        ("#EXTINF:6,\n#EXT-X-BYTERANGE:0@5\na.ts\n", "BYTERANGE has the bad value"),
        ("#EXTINF:6,\n#EXT-X-BYTERANGE:5@\na.ts\n", "URI: 1 lines, of which 2 count"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", "does not belong"),
        ("#EXT-X-DISCONTINUITY\n#EXTINF:6,\na.ts\n", "EXT-X-DISCONTINUITY"),
        ("#EXT-X-ENDLIST\n#EXTINF:6,\na.ts\n", "a line after EXT-X-ENDLIST"),
        ("#EXTINF:6,\na.ts\n\u{1}\n", "line 6: a control character"),
        ("", "no entries"),
    ];
    for (body, text) in cases {
        let error = media(body).to_string();
        assert!(error.contains(text), "{body:?}: {error}");
    }
}

#[test]
fn what_is_wrong_with_a_multivariant_playlist_is_named() {
    let cases = [
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION:4\na\n", "URI line"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\n", "URI line"),
        ("a.m3u8\n", "URI: 1 lines, of which 0 count"),
        ("#EXT-X-STREAM-INF:CODECS=\"a\"\na\n", "EXT-X-STREAM-INF: 1 lines, of which 0 count"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1080\na\n", "EXT-X-STREAM-INF: 1 lines"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=x\na\n", "EXT-X-STREAM-INF: 1 lines"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=-1\na\n", "FRAME-RATE has the bad value"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO-RANGE=X\na\n", "VIDEO-RANGE has the bad value"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"x\"\na\n", "not defined"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS=\"x\"\na\n", "closed captions"),
        ("#EXT-X-STREAM-INF:\na\n", "no attribute list"),
        ("#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1\n", "not a URI"),
        ("#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"v\",NAME=\"v\"\n", "not supported"),
        ("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"v\"\n", "EXT-X-MEDIA: 1 lines, of which 0 count"),
        ("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"v\",NAME=\"v\",DEFAULT=yes\n", "EXT-X-MEDIA: 1 lines"),
        ("#EXTINF:6,\n", "does not belong"),
    ];
    for (body, text) in cases {
        let error = multivariant(body).to_string();
        assert!(error.contains(text), "{body:?}: {error}");
    }
}

#[test]
fn what_is_no_playlist_is_refused() {
    for bytes in [&b""[..], b"\xef\xbb\xbf#EXTM3U\n", b"#EXTM3U8\n", b"#EXTM3U\n\xff", b"<html>"] {
        assert!(MediaPlaylist::read(bytes).is_err());
        assert!(MultivariantPlaylist::read(bytes).is_err());
    }
    let large = vec![b'#'; MAX_PLAYLIST_BYTES + 1];
    assert_eq!(MediaPlaylist::read(&large), Err(ReadError::TooLarge(MAX_PLAYLIST_BYTES)));
    let low = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na\n";
    let error = MediaPlaylist::read(low.as_bytes());
    assert_eq!(error, Err(ReadError::Version { declared: 1, needed: 3 }));
}

#[test]
fn what_others_write_is_read() {
    let text = "#EXTM3U\r\n# a comment\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:6\r\n\
                #EXT-X-UNKNOWN:1\r\n\r\n#EXT-X-KEY:METHOD=NONE\r\n#EXTINF:6,a title\r\n\
                #EXT-X-BYTERANGE:5@0\r\na.ts\r\n#EXTINF:5.5,\r\n#EXT-X-BYTERANGE:7@5\r\na.ts";
    let playlist = MediaPlaylist::read(text.as_bytes()).unwrap();
    let second = &playlist.segments[1];
    assert_eq!(second.byte_range.map(|range| (range.length, range.offset)), Some((7, 5)));
    assert!(!playlist.ended && !playlist.vod);
    // A key for a segment that does not come.
    let text =
        format!("{HEAD}#EXTINF:6,\na.ts\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-ENDLIST\n");
    assert_eq!(MediaPlaylist::read(text.as_bytes()).unwrap().segments[0].key, None);
}

/// m3u8-rs looks for the end of an attribute in all that follows, which for a playlist of such lines
/// takes the square of their number.
#[test]
fn open_ends_cost_no_more_than_their_bytes() {
    for line in
        ["#EXT-X-KEY:a\n", "#EXT-X-KEY:METHOD=AES-128,URI=\"\n", "#EXT-X-START:a=\"\n", "#\n"]
    {
        let text = format!("{HEAD}{}", line.repeat(12 << 20 >> 4));
        let begun = Instant::now();
        assert!(MediaPlaylist::read(text.as_bytes()).is_err(), "{line}");
        assert!(MultivariantPlaylist::read(text.as_bytes()).is_err(), "{line}");
        assert!(begun.elapsed() < Duration::from_secs(60), "{line}: {:?}", begun.elapsed());
    }
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
            // What is accepted can be written, and says the same when it is read again.
            if let Ok(playlist) = MediaPlaylist::read(&bytes) {
                let text = playlist.write().unwrap();
                assert_eq!(MediaPlaylist::read(text.as_bytes()).unwrap().write().unwrap(), text);
            }
            if let Ok(playlist) = MultivariantPlaylist::read(&bytes) {
                let text = playlist.write().unwrap();
                let again = MultivariantPlaylist::read(text.as_bytes()).unwrap();
                assert_eq!(again.write().unwrap(), text);
            }
        }
    }
}
