//! Files that claim more than any real one has, and files that have no time.

use vodmill_model::outcome::Reason;
use vodmill_model::pipeline::{InputPolicy, StillPolicy};
use vodmill_model::planner::main_video;

use super::boxes::{append, find, size};
use super::clips::Clips;
use super::orders::{probe, probe_within, reason};

#[test]
fn more_tracks_than_a_file_has() {
    let clips = Clips::new();
    let plain = std::fs::read(clips.plain()).unwrap();
    let movie = find(&plain, 0, plain.len(), "moov");
    let track = find(&plain, movie + 8, movie + size(&plain, movie), "trak");
    let track = plain[track..track + size(&plain, track)].to_vec();
    for (tracks, expected) in
        [(255, None), (256, Some(Reason::BeyondLimits)), (20_000, Some(Reason::BeyondLimits))]
    {
        let mut bytes = plain.clone();
        append(&mut bytes, &["moov"], &track.repeat(tracks));
        let probed = probe(&clips.write("many.mp4", &bytes));
        assert_eq!(probed.err().map(|error| reason::<()>(Err(error))), expected, "{tracks}");
    }
    let maps = "-map 0:a ".repeat(300);
    clips.make("sine=d=0.1", &format!("{maps} -c:a pcm_s16le"), "many.mka");
    assert_eq!(reason(probe(&clips.path("many.mka"))), Reason::BeyondLimits);
}

#[test]
fn tables_that_fit_into_no_memory() {
    let clips = Clips::new();
    let plain = std::fs::read(clips.plain()).unwrap();
    for table in ["stsz", "stts", "stco", "stsc", "ctts", "stss"] {
        let at = plain.windows(4).position(|window| window == table.as_bytes()).unwrap();
        // A table of sizes has a constant size in front of its count.
        let count = at + if table == "stsz" { 12 } else { 8 };
        for claimed in [i32::MAX as u32, u32::MAX, 80_000_000] {
            let mut bytes = plain.clone();
            bytes[count..count + 4].copy_from_slice(&claimed.to_be_bytes());
            let probed = probe(&clips.write("vast.mp4", &bytes));
            let fine = probed.is_ok();
            assert!(fine || reason(probed) != Reason::NothingToDo, "{table} {claimed}");
        }
    }
    let at = plain.windows(4).position(|window| window == b"stsz").unwrap();
    let mut bytes = plain;
    bytes[at + 8..at + 16].copy_from_slice(&[0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff]);
    reason(probe(&clips.write("ones.mp4", &bytes)));
}

#[test]
fn more_channels_than_a_layout_has() {
    let clips = Clips::new();
    let wave = |channels: u16| {
        let head = [1, channels].map(u16::to_le_bytes).concat();
        let rates = [48_000, 96_000 * u32::from(channels)].map(u32::to_le_bytes).concat();
        let format = [head, rates, [2 * channels, 16].map(u16::to_le_bytes).concat()].concat();
        let sound = vec![0; 9_600 * usize::from(channels)];
        let chunk = |kind: &[u8; 4], content: &[u8]| {
            [kind, &(content.len() as u32).to_le_bytes()[..], content].concat()
        };
        let chunks = [b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"data", &sound)].concat();
        probe(&clips.write("wide.wav", &chunk(b"RIFF", &chunks)))
    };
    for channels in [37, 64, 255] {
        assert_eq!(reason(wave(channels)), Reason::BeyondLimits, "{channels}");
    }
    assert_eq!(wave(24).unwrap().audio[0].channels, 24);
}

#[test]
fn a_photograph_is_no_film_unless_the_pipeline_says_so() {
    let clips = Clips::new();
    let publish = InputPolicy { stills: StillPolicy::Publish, ..InputPolicy::default() };
    for (name, options) in [
        ("a.jpg", ""),
        ("a.png", ""),
        ("a.tiff", ""),
        ("a.bmp", ""),
        ("a.gif", ""),
        ("a.webp", ""),
        ("a.avif", "-c:v libaom-av1 -cpu-used 8 -still-picture 1"),
    ] {
        let path = clips.make("testsrc2=s=320x180", &format!("-frames:v 1 {options}"), name);
        assert_eq!(reason(probe(&path)), Reason::Photograph, "{name}");
        let info = probe_within(&path, &publish).unwrap();
        assert!(info.photograph.is_some(), "{name}");
        assert_eq!(main_video(&info).map(|film| film.packets), Some(1), "{name}");
    }
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08meta";
    assert_eq!(reason(probe(&clips.write("a.heic", heic))), Reason::Photograph);
}

#[test]
fn pictures_in_time_are_films_however_few() {
    let clips = Clips::new();
    for (name, options) in [
        ("moving.gif", "-frames:v 5"),
        ("moving.apng", "-frames:v 5"),
        ("one.mp4", "-frames:v 1 -c:v libx264 -preset ultrafast"),
        ("one.mkv", "-frames:v 1 -c:v mjpeg"),
        ("one.mov", "-frames:v 1 -c:v png"),
    ] {
        let path = clips.make("testsrc2=s=320x180", options, name);
        assert_eq!(probe(&path).unwrap().photograph, None, "{name}");
    }
}
