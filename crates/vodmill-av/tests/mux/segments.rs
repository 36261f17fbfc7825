use std::path::Path;

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::outcome::MediaError;
use vodmill_model::pipeline::Container;
use vodmill_model::transcode::{Cut, Segment, SegmentOrder, VideoInput};
use vodmill_model::units::{Ratio, Ticks};

use super::audio;
use super::make::{Film, media};
use super::reader::{decode, of, packets};

pub const BASE: Ticks = Ticks::from_seconds(10);

pub fn order(container: Container, video: VideoInput, ends: &[i64]) -> SegmentOrder {
    let ends = ends.iter().map(|&frame| video.rate.frame_start(frame as u64)).collect();
    SegmentOrder { container, video: Some(video), audio: None, base: BASE, cut: Cut::At(ends) }
}

pub fn segments(order: &SegmentOrder) -> Result<Vec<Segment>, MediaError> {
    let mut segments = Vec::new();
    Libav.segment(order, &mut |segment| {
        segments.push(segment);
        Ok(())
    })?;
    Ok(segments)
}

fn write(dir: &Path, name: &str, segments: &[&Segment]) -> std::path::PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, segments.iter().flat_map(|s| s.bytes.clone()).collect::<Vec<_>>())
        .unwrap();
    path
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.00002
}

#[test]
fn transport_stream_segments_are_cut_at_their_key_frames() {
    let dir = tempfile::tempdir().unwrap();
    let film = Film { rate: Ratio::new(24000, 1001), gop: 24, ..Film::default() };
    let video = film.chunks(dir.path(), &[96, 96, 30]);
    let order = order(Container::Ts, video, &[48, 96, 144, 192, 222]);
    let segments = segments(&order).unwrap();
    assert_eq!(segments.len(), 5);
    let mut frame = 0;
    for (index, segment) in segments.iter().enumerate() {
        let path = write(dir.path(), "one.ts", &[segment]);
        let packets = packets(&path);
        assert_eq!(packets.len(), if index == 4 { 30 } else { 48 });
        assert!(packets[0].key);
        assert_eq!(segment.start, film.rate.frame_start(frame));
        let start = (BASE + segment.start).0 as f64 / 90000.0;
        assert!(near(packets[0].pts, start), "{} {start}", packets[0].pts);
        frame += packets.len() as u64;
        assert_eq!(segment.start + segment.duration, film.rate.frame_start(frame));
        assert_eq!(segment.bytes[..3], [0x47, 0x40, 0x11], "service table first");
    }
    let whole = write(dir.path(), "all.ts", &segments.iter().collect::<Vec<_>>());
    decode(&whole);
    assert_eq!(of(&packets(&whole), "video").len(), 222);
}
/// Bytes that the container adds to `payload`, in per cent.
fn overhead(segments: &[Segment], payload: u64) -> f64 {
    let bytes: usize = segments.iter().map(|segment| segment.bytes.len()).sum();
    (bytes as f64 / payload as f64 - 1.0) * 100.0
}

#[test]
fn sound_in_a_transport_stream_costs_little() {
    let dir = tempfile::tempdir().unwrap();
    let noise = "anoisesrc=d=12:a=0.1:seed=1:r=48000";
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", noise, "-ac", "2"]);
    let audio = audio::rendition(&sound, dir.path(), 0, 576_000);
    let ends = vec![Ticks::from_seconds(6), Ticks::from_seconds(12)];
    let order = SegmentOrder {
        container: Container::Ts,
        video: None,
        audio: Some(audio.clone()),
        base: BASE,
        cut: Cut::At(ends),
    };
    let segments = segments(&order).unwrap();
    let whole = write(dir.path(), "all.ts", &segments.iter().collect::<Vec<_>>());
    decode(&whole);
    let packets = packets(&whole);
    assert_eq!(packets.len(), (576_000_usize + 1024).div_ceil(1024));
    let payload = std::fs::metadata(&audio).unwrap().len() - 30 * packets.len() as u64;
    let overhead = overhead(&segments, payload);
    println!("transport stream overhead of 128k audio: {overhead:.1} %");
    assert!(overhead < 12.0, "{overhead}");
    for pair in packets.windows(2) {
        assert!((pair[1].pts - pair[0].pts - 1024.0 / 48000.0).abs() < 0.00003, "{pair:?}");
    }
}
