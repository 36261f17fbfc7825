use std::path::Path;

use vodmill_av::Libav;
use vodmill_model::Transcode;
use vodmill_model::outcome::MediaError;
use vodmill_model::pipeline::Container;
use vodmill_model::transcode::{Cut, Part, Segment, SegmentOrder, VideoInput};
use vodmill_model::units::{Ratio, Ticks};

use super::audio;
use super::make::{Film, media};
use super::reader::{decode, of, packets};

pub const BASE: Ticks = Ticks::from_seconds(10);

pub fn order(container: Container, video: VideoInput, ends: &[i64]) -> SegmentOrder {
    let ends = ends.iter().map(|&frame| video.rate.frame_start(frame as u64)).collect();
    let (video, cut) = (Some(video), Cut::At(ends));
    SegmentOrder { container, video, audio: None, base: BASE, cut, part: Part::WHOLE }
}

pub fn segments(order: &SegmentOrder) -> Result<Vec<Segment>, MediaError> {
    let mut segments = Vec::new();
    Libav.segment(order, &mut |segment| {
        segments.push(segment);
        Ok(())
    })?;
    Ok(segments)
}

pub fn write(dir: &Path, name: &str, segments: &[&Segment]) -> std::path::PathBuf {
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
        part: Part::WHOLE,
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

#[test]
fn fragmented_mp4_segments_join_without_a_seam() {
    let dir = tempfile::tempdir().unwrap();
    let film = Film { rate: Ratio::new(30000, 1001), gop: 30, ..Film::default() };
    let video = film.chunks(dir.path(), &[60, 60, 15]);
    let mut order = order(Container::Fmp4, video, &[30, 60, 90, 120, 135]);
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=5"]);
    order.audio = Some(audio::rendition(&sound, dir.path(), 0, 216_216));
    let segments = segments(&order).unwrap();
    assert!(segments[0].init && segments[0].bytes[4..8] == *b"ftyp");
    assert!(segments[1..].iter().all(|segment| segment.bytes[4..8] == *b"styp"));
    let whole = write(dir.path(), "all.mp4", &segments.iter().collect::<Vec<_>>());
    decode(&whole);
    let packets = packets(&whole);
    check_seams(&of(&packets, "video"), 135, 1001.0 / 30000.0);
    check_seams(&of(&packets, "audio"), (216_216_usize + 1024).div_ceil(1024), 1024.0 / 48000.0);
    assert!(near(of(&packets, "video")[0].pts, 10.0));
    assert!(near(of(&packets, "audio")[0].pts, 10.0 - 1024.0 / 48000.0));
    let last = segments.last().unwrap();
    assert_eq!(last.start + last.duration, film.rate.frame_start(135));
}

/// Decode times go on, packet by packet, each with its duration.
fn check_seams(packets: &[&super::reader::Packet], count: usize, duration: f64) {
    assert_eq!(packets.len(), count);
    for pair in packets.windows(2) {
        assert!(near(pair[1].dts - pair[0].dts, duration), "{pair:?}");
        // FFmpeg gives none for the packet that it skips as priming.
        let given = pair[0].duration;
        assert!(given == 0.0 && pair[0].pts < 10.0 || near(given, duration), "{pair:?}");
    }
}

#[test]
fn pictures_and_sound_of_a_transport_stream_keep_together() {
    let dir = tempfile::tempdir().unwrap();
    let video = Film::default().chunks(dir.path(), &[100, 100]);
    let mut order = order(Container::Ts, video, &[50, 100, 150, 200]);
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=8"]);
    order.audio = Some(audio::rendition(&sound, dir.path(), 0, 384_000));
    let parts = segments(&order).unwrap();
    let whole = write(dir.path(), "all.ts", &parts.iter().collect::<Vec<_>>());
    decode(&whole);
    let all = packets(&whole);
    check_seams(&of(&all, "video"), 200, 0.04);
    for (index, part) in parts.iter().enumerate() {
        let one = packets(&write(dir.path(), "one.ts", &[part]));
        let (from, to) = (10.0 + 2.0 * index as f64, 12.0 + 2.0 * index as f64);
        assert!(near(of(&one, "video")[0].pts, from) && of(&one, "video")[0].key);
        for packet in of(&one, "audio") {
            assert!(packet.pts >= from - 0.0214 && (packet.pts < to || index == 3), "{packet:?}");
        }
    }
    check_clock(&std::fs::read(&whole).unwrap());
    assert!(segments(&order).unwrap() == parts, "the same bytes again");
}

/// Continuity counters run on, and the clock reference never goes back nor waits long.
pub fn check_clock(bytes: &[u8]) {
    let mut counters = std::collections::HashMap::new();
    let mut clock: Option<u64> = None;
    for packet in bytes.chunks_exact(188) {
        let (pid, flags) = (u16::from_be_bytes([packet[1] & 0x1f, packet[2]]), packet[3]);
        if let Some(last) = counters.insert(pid, flags & 15) {
            assert_eq!(flags & 15, (last + 1) & 15, "counter of {pid}");
        }
        if flags & 0x20 != 0 && packet[4] > 0 && packet[5] & 0x10 != 0 {
            let base = u64::from_be_bytes(packet[4..12].try_into().unwrap()) >> 15 & 0x1_ffff_ffff;
            let step = clock.map_or(0, |clock| base.checked_sub(clock).unwrap());
            assert!(step <= 9000, "{step} ticks without a clock reference");
            clock = Some(base);
        }
    }
    assert!(clock.is_some());
}

#[test]
fn a_boundary_without_a_key_frame_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let video = Film::default().chunks(dir.path(), &[100]);
    for ends in [[40, 100], [26, 100]] {
        let order = order(Container::Ts, video.clone(), &ends);
        assert!(matches!(segments(&order), Err(MediaError::Failed(_))), "{ends:?}");
    }
}

#[test]
fn a_key_frame_that_refers_to_others_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let video = Film { closed: false, ..Film::default() }.chunks(dir.path(), &[100]);
    assert!(matches!(segments(&order(Container::Ts, video, &[100])), Err(MediaError::Failed(_))));
}

#[test]
fn chunks_of_different_configuration_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut video = Film::default().chunks(dir.path(), &[25, 25]);
    Film { size: (160, 90), ..Film::default() }.chunk(&video.chunks[1], 25, 25);
    assert!(segments(&order(Container::Ts, video.clone(), &[25, 50])).is_err());
    video.chunks.clear();
    assert!(segments(&order(Container::Ts, video, &[25])).is_err());
}

#[test]
fn key_frames_alone_are_segments() {
    let dir = tempfile::tempdir().unwrap();
    let video = Film::default().chunks(dir.path(), &[100, 60]);
    for container in [Container::Ts, Container::Fmp4] {
        let mut order = order(container, video.clone(), &[]);
        order.cut = Cut::KeyFrames;
        let segments = segments(&order).unwrap();
        let (init, pictures): (Vec<_>, Vec<_>) = segments.iter().partition(|s| s.init);
        assert_eq!((init.len(), pictures.len()), (1, 7));
        assert!(segments[0].init, "it stands before all");
        if container == Container::Ts {
            assert_eq!(tables(&init[0].bytes), [0, 0x1000], "PAT and PMT, no more");
            let held: Vec<_> = pictures.iter().flat_map(|one| tables(&one.bytes)).collect();
            assert!(held.is_empty(), "tables {held:?} in a picture");
        }
        let duration: i64 = pictures.iter().map(|picture| picture.duration.0).sum();
        assert_eq!(duration, 160 * 3600);
        for (index, picture) in pictures.iter().enumerate() {
            let parts = [&init[..], &[*picture]].concat();
            let path = write(dir.path(), "one", &parts);
            decode(&path);
            let packets = packets(&path);
            assert!(packets.len() == 1 && packets[0].key);
            assert!(near(packets[0].pts, 10.0 + index as f64), "{container:?} {packets:?}");
        }
    }
}

/// PIDs of the packets that begin a table.
fn tables(bytes: &[u8]) -> Vec<u16> {
    let begins = |packet: &&[u8]| {
        let adaptation = if packet[3] & 0x20 == 0 { 0 } else { 1 + usize::from(packet[4]) };
        packet[1] & 0x40 != 0 && !packet[4 + adaptation..].starts_with(&[0, 0, 1])
    };
    let pid = |packet: &[u8]| u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
    bytes.chunks_exact(188).filter(begins).map(pid).collect()
}

#[test]
fn the_init_segment_hangs_on_nothing_but_the_streams() {
    let dir = tempfile::tempdir().unwrap();
    let long = Film::default().chunks(dir.path(), &[100]);
    let first = segments(&order(Container::Fmp4, long, &[50, 100])).unwrap();
    let short = Film::default().chunks(dir.path(), &[50]);
    let second = segments(&order(Container::Fmp4, short, &[50])).unwrap();
    assert!(first[0] == second[0]);
}

#[test]
fn sound_alone_is_cut_between_packets() {
    let dir = tempfile::tempdir().unwrap();
    let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=5"]);
    let audio = audio::rendition(&sound, dir.path(), 0, 240_000);
    for container in [Container::Ts, Container::Fmp4] {
        let cut = Cut::At([2, 4, 5].map(Ticks::from_seconds).to_vec());
        let (audio, part) = (Some(audio.clone()), Part::WHOLE);
        let order = SegmentOrder { container, video: None, audio, base: BASE, cut, part };
        let all = segments(&order).unwrap();
        let parts: Vec<_> = all.iter().filter(|segment| !segment.init).collect();
        // The first packet that starts at or after two seconds is number 94 from zero; the
        // encoder's delay is one before zero.
        assert_eq!((parts[0].start, parts[1].start), (Ticks(-1920), Ticks(94 * 1920)));
        let whole = write(dir.path(), "all", &all.iter().collect::<Vec<_>>());
        decode(&whole);
        let count = (240_000_u64 + 1024).div_ceil(1024) as i64;
        assert_eq!(packets(&whole).len() as i64, count);
        let total: i64 = parts.iter().map(|part| part.duration.0).sum();
        assert_eq!(total, count * 1920, "{container:?}");
    }
}

#[test]
fn sound_alone_lasts_as_long_as_its_packets() {
    let dir = tempfile::tempdir().unwrap();
    // One short of a whole number of frames, a whole number, one more, and odd lengths.
    for samples in [48_000 + 30_001, 143 * 1024 - 1024 - 1, 142 * 1024, 142 * 1024 + 1, 144_000] {
        let sound = media(dir.path(), "s.wav", &["-f", "lavfi", "-i", "sine=d=4:r=48000"]);
        let audio = audio::rendition(&sound, dir.path(), 0, samples);
        let end = Ticks(samples as i64 * 90 / 48);
        for (container, ends) in [
            (Container::Ts, vec![end]),
            (Container::Ts, vec![Ticks::from_seconds(1), end]),
            (Container::Fmp4, vec![end]),
        ] {
            let cut = Cut::At(ends.into_iter().filter(|one| *one <= end).collect());
            let (audio, part) = (Some(audio.clone()), Part::WHOLE);
            let order = SegmentOrder { container, video: None, audio, base: BASE, cut, part };
            let all = segments(&order).unwrap();
            let init: Vec<_> = all.iter().filter(|segment| segment.init).collect();
            for segment in all.iter().filter(|segment| !segment.init) {
                let one = [&init[..], &[segment]].concat();
                let count = packets(&write(dir.path(), "one", &one)).len() as i64;
                assert_eq!(segment.duration, Ticks(count * 1920), "{samples} in {container:?}");
            }
        }
    }
}
