use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::plan::SubtitlePlan;
use vodmill_model::transcode::{Cue, SubtitleOrder};
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

fn extract(name: &str, codec: &str) -> Vec<Cue> {
    let dir = tempfile::tempdir().unwrap();
    let srt = dir.path().join("s.srt");
    std::fs::write(&srt, SRT).unwrap();
    let srt = srt.to_str().unwrap();
    let arguments =
        ["-f", "lavfi", "-i", "sine=d=5", "-i", srt, "-map", "0", "-map", "1", "-c:s", codec];
    let original = media(dir.path(), name, &arguments);
    let subtitle = SubtitlePlan { id: "s0".to_owned(), track: 1, clock_jumps: Vec::new() };
    let order = SubtitleOrder { original, origin: Ticks(45_000), subtitle };
    Libav.extract_subtitles(&order).unwrap()
}

#[test]
fn subtitles_of_all_text_codecs_become_the_same_cues() {
    for (name, codec) in
        [("s.mkv", "subrip"), ("s.mkv", "ass"), ("s.mp4", "mov_text"), ("s.mkv", "webvtt")]
    {
        let found = extract(name, codec);
        assert_eq!(found.len(), 2, "{codec}: what lies before the origin is dropped");
        assert!(is(&found[0], 500, 2000, "Hej, <i>du</i>\nR&B"), "{codec}: {found:?}");
        assert!(is(&found[1], 2500, 3500, "uppe"), "{codec}: {found:?}");
    }
}
