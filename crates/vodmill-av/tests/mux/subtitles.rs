use std::path::{Path, PathBuf};

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::plan::SubtitlePlan;
use vodmill_model::transcode::{Cue, CueBalance, SubtitleOrder, Subtitles};
use vodmill_model::units::Ticks;

use super::make::media;

const SRT: &str = "1\n00:00:01,000 --> 00:00:02,500\nHej, <i>du</i>\nR&amp;B\n\n\
                   2\n00:00:00,200 --> 00:00:00,400\nborta\n\n\
                   3\n00:00:03,000 --> 00:00:04,000\n{\\an8}<font color=\"#ff0000\">uppe</font>\n\n";

/// The container may shift the whole file by some milliseconds, for the sake of the sound.
fn is(cue: &Cue, start: i64, end: i64, text: &str) -> bool {
    let near = |time: Ticks, millis: i64| (time.millis() - millis).abs() <= 5;
    near(cue.start, start) && near(cue.end, end) && cue.text == text
}

fn extract(name: &str, codec: &str) -> Subtitles {
    let dir = tempfile::tempdir().unwrap();
    extract_from(with_text(dir.path(), name, codec, SRT.as_bytes()), Ticks(45_000))
}

/// Media with a text track made of a SubRip file.
fn with_text(dir: &Path, name: &str, codec: &str, text: &[u8]) -> PathBuf {
    let srt = dir.join("s.srt");
    std::fs::write(&srt, text).unwrap();
    let srt = srt.to_str().unwrap();
    let arguments =
        ["-f", "lavfi", "-i", "sine=d=5", "-i", srt, "-map", "0", "-map", "1", "-c:s", codec];
    media(dir, name, &arguments)
}

fn extract_from(original: PathBuf, origin: Ticks) -> Subtitles {
    let subtitle = SubtitlePlan { id: "s0".to_owned(), track: 1, clock_jumps: Vec::new() };
    Libav.extract_subtitles(&SubtitleOrder { original, origin, subtitle }).unwrap()
}

/// A SubRip file, one cue a second, of texts that are bytes.
fn subrip(texts: &[&[u8]]) -> Vec<u8> {
    let cue = |(number, text): (usize, &&[u8])| {
        let times = format!("{0}\n00:00:0{0},000 --> 00:00:0{0},500\n", number + 1);
        [times.as_bytes(), text, b"\n\n"].concat()
    };
    texts.iter().enumerate().flat_map(cue).collect()
}

fn texts(found: &Subtitles) -> Vec<&str> {
    found.cues.iter().map(|cue| cue.text.as_str()).collect()
}

/// `bytes` with `new` in the place of `old`, which is as long and stands there once.
fn replaced(original: &Path, old: &[u8], new: &[u8]) {
    let mut bytes = std::fs::read(original).unwrap();
    let at = bytes.windows(old.len()).position(|window| window == old).unwrap();
    bytes[at..at + new.len()].copy_from_slice(new);
    std::fs::write(original, bytes).unwrap();
}

#[test]
fn subtitles_of_all_text_codecs_become_the_same_cues() {
    for (name, codec) in
        [("s.mkv", "subrip"), ("s.mkv", "ass"), ("s.mp4", "mov_text"), ("s.mkv", "webvtt")]
    {
        let found = extract(name, codec);
        assert_eq!((found.balance.outside, found.balance.lost), (1, 0), "{codec}");
        let found = found.cues;
        assert_eq!(found.len(), 2, "{codec}: what lies before the origin is dropped");
        assert!(is(&found[0], 500, 2000, "Hej, <i>du</i>\nR&B"), "{codec}: {found:?}");
        assert!(is(&found[1], 2500, 3500, "uppe"), "{codec}: {found:?}");
    }
}

#[test]
fn a_code_page_inside_matroska_becomes_utf_8() {
    // "안녕하세요", "뷁" (which only Microsoft's code page 949 has), "감사합니다".
    let korean: [&[u8]; 3] = [
        b"\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4",
        b"\x94\xee \xb1\xdb\xc0\xda",
        b"<i>\xb0\xa8\xbb\xe7\xc7\xd5\xb4\xcf\xb4\xd9</i>",
    ];
    let dir = tempfile::tempdir().unwrap();
    let original = with_text(dir.path(), "s.mkv", "copy", &subrip(&korean));
    let found = extract_from(original, Ticks::ZERO);
    assert_eq!(texts(&found), ["안녕하세요", "뷁 글자", "<i>감사합니다</i>"]);
    let charset = Some("EUC-KR".to_owned());
    assert_eq!(found.balance, CueBalance { delivered: 3, charset, ..CueBalance::default() });
}

#[test]
fn a_byte_that_means_nothing_costs_no_cue() {
    let dir = tempfile::tempdir().unwrap();
    let cues: [&[u8]; 3] = ["à la carte".as_bytes(), "naïve".as_bytes(), b"caf\xc3 noir"];
    let original = with_text(dir.path(), "s.mkv", "copy", &subrip(&cues));
    let found = extract_from(original, Ticks::ZERO);
    assert_eq!(texts(&found), ["à la carte", "naïve", "caf\u{fffd} noir"]);
    assert_eq!(found.balance, CueBalance { delivered: 3, altered: 1, ..CueBalance::default() });
}

#[test]
fn utf_16_is_text_in_every_container() {
    let marked: Vec<u8> = "\u{feff}안녕 12".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let bare: Vec<u8> = "안녕 123".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, codec, new, text) in
        [("s.mp4", "mov_text", &marked, "안녕 12"), ("s.mkv", "subrip", &bare, "안녕 123")]
    {
        let dir = tempfile::tempdir().unwrap();
        let placeholder = vec![b'@'; new.len()];
        let original = with_text(dir.path(), name, codec, &subrip(&[&placeholder]));
        replaced(&original, &placeholder, new);
        let found = extract_from(original, Ticks::ZERO);
        assert_eq!(texts(&found), [text], "{name}");
        assert!(found.balance.charset.as_deref().is_some_and(|name| name.starts_with("UTF-16")));
    }
}

#[test]
fn a_cue_without_end_of_text_is_cut_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let long = "어".repeat(20_000);
    let original = with_text(dir.path(), "s.mkv", "copy", &subrip(&[long.as_bytes(), b"short"]));
    let found = extract_from(original, Ticks::ZERO);
    assert_eq!(texts(&found), [&"어".repeat(1000), "short"]);
    assert_eq!(found.balance, CueBalance { delivered: 2, altered: 1, ..CueBalance::default() });
}

#[test]
fn overlaps_and_what_draws_are_balanced() {
    const ASS: &str = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n\
        Format: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n[Events]\n\
        Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n\
        Dialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{\\an8\\fad(1,2)}above\n\
        Dialogue: 1,0:00:01.00,0:00:04.00,Default,,0,0,0,,below\n\
        Dialogue: 0,0:00:02.00,0:00:03.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9\n";
    let dir = tempfile::tempdir().unwrap();
    let ass = dir.path().join("s.ass");
    std::fs::write(&ass, ASS).unwrap();
    let arguments = ["-f", "lavfi", "-i", "sine=d=5", "-i", ass.to_str().unwrap()];
    let maps = ["-map", "0", "-map", "1", "-c:s", "copy"];
    let original = media(dir.path(), "s.mkv", &[&arguments[..], &maps].concat());
    let found = extract_from(original, Ticks::ZERO);
    assert_eq!(texts(&found), ["above", "below"]);
    assert_eq!(found.balance, CueBalance { delivered: 3, empty: 1, ..CueBalance::default() });
}
