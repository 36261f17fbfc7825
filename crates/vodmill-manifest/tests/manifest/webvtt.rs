use vodmill_manifest::webvtt::{
    Cue, StoryboardCue, VttError, sanitise, write, write_segment, write_storyboard,
};

fn cue(start: u64, end: u64, text: &str) -> Cue {
    Cue { start: start * 90, end: end * 90, text: text.to_owned() }
}

#[test]
fn a_whole_file() {
    let cues = [
        cue(0, 1_500, "Hello <i>you</i>"),
        cue(3_599_999, 3_723_004, "a\r\n\r\n1 --> 2 & <c>x"),
        cue(1, 2, " \n "),
    ];
    let expected = "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello <i>you</i>\n\n\
                    00:59:59.999 --> 01:02:03.004\na\n1 --&gt; 2 &amp; &lt;c&gt;x\n";
    assert_eq!(write(&cues).unwrap(), expected);
}

#[test]
fn a_cue_stands_in_every_segment_it_touches() {
    let cues = [cue(5_000, 7_000, "over the edge"), cue(12_000, 13_000, "later")];
    let segment = |from: u64| write_segment(&cues, from * 90_000..(from + 6) * 90_000, 900_000);
    let head = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n";
    let first = format!("{head}\n00:00:05.000 --> 00:00:07.000\nover the edge\n");
    assert_eq!(segment(0).unwrap(), first);
    assert_eq!(segment(6).unwrap(), first);
    assert!(segment(12).unwrap().ends_with("later\n"));
    assert_eq!(segment(18).unwrap(), head);
    let wrapped = write_segment(&[], 0..1, (1 << 33) + 5).unwrap();
    assert!(wrapped.contains("MPEGTS:5,"));
}

#[test]
fn impossible_spans_are_refused() {
    assert!(matches!(write(&[cue(5, 5, "x")]), Err(VttError::Span { .. })));
    assert!(matches!(write_segment(&[], 5..5, 0), Err(VttError::Span { .. })));
    assert!(matches!(write(&[cue(0, 1, &"&".repeat(5_000))]), Err(VttError::TooLong(0))));
    // Shorter than a millisecond, and still there.
    let short = Cue { start: 0, end: 1, text: "x".into() };
    assert!(write(&[short]).unwrap().contains("00:00:00.000 --> 00:00:00.001"));
}

#[test]
fn no_payload_ends_its_cue() {
    assert_eq!(sanitise("-->"), "--&gt;");
    assert_eq!(sanitise("\0a\tb\u{1b}"), "a b");
    assert_eq!(sanitise("<b>x</b><script>"), "<b>x</b>&lt;script&gt;");
    assert!(!sanitise("a\n\n\rb\r\r").contains("\n\n"));
}

#[test]
fn a_storyboard() {
    let tile = |index: u64| StoryboardCue {
        start: index * 900_000,
        end: (index + 1) * 900_000,
        sheet: "sheet-0001.jpg".into(),
        x: index as u32 * 160,
        y: 0,
        width: 160,
        height: 90,
    };
    let expected = "WEBVTT\n\n00:00:00.000 --> 00:00:10.000\nsheet-0001.jpg#xywh=0,0,160,90\n\n\
                    00:00:10.000 --> 00:00:20.000\nsheet-0001.jpg#xywh=160,0,160,90\n";
    assert_eq!(write_storyboard(&[tile(0), tile(1)]).unwrap(), expected);
    let bad = StoryboardCue { sheet: "a b.jpg".into(), ..tile(0) };
    assert!(matches!(write_storyboard(&[bad]), Err(VttError::Sheet(_))));
}
