//! Parts of a programme, each muxed by itself, against the whole.

use std::path::Path;

use vodmill_model::pipeline::Container;
use vodmill_model::transcode::{Cut, Part, Segment, SegmentOrder, VideoInput};
use vodmill_model::units::Ticks;

use super::audio;
use super::make::{Film, media};
use super::reader::{decode, packets};
use super::segments::{check_clock, order, segments, write};

/// Frames of the chunks, segments of 50 frames.
const CHUNKS: [i64; 3] = [100, 150, 70];
const ENDS: [i64; 7] = [50, 100, 150, 200, 250, 300, 320];
/// The first segment of each chunk, and the number of all.
const FIRSTS: [usize; 4] = [0, 2, 5, 7];

/// An order for all, with sound that does not end at the frames of the pictures.
fn whole(container: Container, dir: &Path, film: Film) -> SegmentOrder {
    let mut order = order(container, film.chunks(dir, &CHUNKS), &ENDS);
    let sound = media(dir, "s.wav", &["-f", "lavfi", "-i", "sine=d=13"]);
    order.audio = Some(audio::rendition(&sound, dir, 0, 12 * 48_000 + 38_400));
    order
}

fn ends(order: &SegmentOrder) -> Vec<Ticks> {
    match &order.cut {
        Cut::At(ends) => ends.clone(),
        Cut::KeyFrames => unreachable!("made with ends"),
    }
}

/// The orders for the parts; `of_cut` makes the cut of one from its ends, and the number of what
/// comes before it from that of its first segment.
fn parts(
    whole: &SegmentOrder,
    of_cut: impl Fn(&[Ticks], usize) -> (Cut, u64),
) -> Vec<SegmentOrder> {
    let ends = ends(whole);
    let part = |index: usize| {
        let (from, to) = (FIRSTS[index], FIRSTS[index + 1]);
        let (cut, first) = of_cut(&ends[from..to], from);
        let start = if from == 0 { Ticks::ZERO } else { ends[from - 1] };
        let video = whole.video.as_ref().map(|video| VideoInput {
            chunks: vec![video.chunks[index].clone()],
            rate: video.rate,
        });
        let part = Part { first, start, last: index == 2 };
        SegmentOrder { video, cut, part, ..whole.clone() }
    };
    (0..3).map(part).collect()
}

fn by_segments(whole: &SegmentOrder) -> Vec<SegmentOrder> {
    parts(whole, |ends, first| (Cut::At(ends.to_vec()), first as u64))
}

/// All segments of all parts; every part has the same init segment, which counts once.
fn joined(orders: &[SegmentOrder]) -> Vec<Segment> {
    let mut all: Vec<Segment> = Vec::new();
    for order in orders {
        let made = segments(order).expect("mux part");
        let init = made.iter().find(|segment| segment.init);
        if let (Some(first), Some(init)) = (all.first(), init) {
            assert!(first == init, "one init segment for all parts");
        }
        let fresh = all.is_empty();
        all.extend(made.into_iter().filter(|segment| fresh || !segment.init));
    }
    all
}

fn times(segments: &[Segment]) -> Vec<(bool, Ticks, Ticks)> {
    segments.iter().map(|one| (one.init, one.start, one.duration)).collect()
}

fn assert_equal(parts: &[Segment], whole: &[Segment]) {
    assert_eq!(times(parts), times(whole));
    let differ = parts.iter().zip(whole).position(|(part, whole)| part.bytes != whole.bytes);
    assert_eq!(differ, None, "the bytes of one differ");
}

#[test]
fn parts_in_fragments_are_the_bytes_of_the_whole() {
    let dir = tempfile::tempdir().expect("folder");
    let muxed = whole(Container::Fmp4, dir.path(), Film::default());
    let alone = SegmentOrder { video: None, ..muxed.clone() };
    let silent = SegmentOrder { audio: None, ..muxed.clone() };
    for order in [muxed, alone, silent] {
        assert_equal(&joined(&by_segments(&order)), &segments(&order).expect("mux all"));
    }
}

#[test]
fn pictures_of_parts_in_fragments_are_those_of_the_whole() {
    let dir = tempfile::tempdir().expect("folder");
    let all = whole(Container::Fmp4, dir.path(), Film::default());
    // Groups of 25 frames, segments of 50.
    let parts = parts(&all, |_, first| (Cut::KeyFrames, 2 * first as u64));
    let pictures = SegmentOrder { cut: Cut::KeyFrames, ..all };
    assert_equal(&joined(&parts), &segments(&pictures).expect("mux all"));
}

/// What players see of packets.
fn seen(path: &Path) -> Vec<String> {
    let sight = |one: super::reader::Packet| {
        format!("{} {:.5} {:.5} {} {}", one.kind, one.pts, one.dts, one.size, one.key)
    };
    packets(path).into_iter().map(sight).collect()
}

#[test]
fn a_transport_stream_goes_on_from_part_to_part() {
    let dir = tempfile::tempdir().expect("folder");
    let muxed = whole(Container::Ts, dir.path(), Film::default());
    let alone = SegmentOrder { video: None, ..muxed.clone() };
    let silent = SegmentOrder { audio: None, ..muxed.clone() };
    for order in [muxed, alone, silent] {
        let (parts, whole) = (joined(&by_segments(&order)), segments(&order).expect("mux all"));
        assert_eq!(times(&parts), times(&whole));
        let parts = write(dir.path(), "parts.ts", &parts.iter().collect::<Vec<_>>());
        let whole = write(dir.path(), "whole.ts", &whole.iter().collect::<Vec<_>>());
        decode(&parts);
        assert_eq!(seen(&parts), seen(&whole));
        let bytes = std::fs::read(&parts).expect("read");
        check_counters(&bytes);
        if order.video.is_some() {
            check_clock(&bytes);
        }
        let added = std::fs::metadata(&parts).expect("size").len()
            - std::fs::metadata(&whole).expect("size").len();
        // Two seams, at most fifteen packets for each of two tables, a description and two streams.
        assert!(added <= 2 * 15 * 5 * 188, "{added} bytes");
    }
}

#[test]
fn pictures_of_a_transport_stream_go_on_from_part_to_part() {
    let dir = tempfile::tempdir().expect("folder");
    // Pictures so small that one packet holds all that there is to spread.
    let film = Film { size: (32, 32), ..Film::default() };
    let all = whole(Container::Ts, dir.path(), film);
    let pictures = joined(&parts(&all, |_, first| (Cut::KeyFrames, 2 * first as u64)));
    assert_eq!(pictures.iter().filter(|segment| !segment.init).count(), 13);
    let joined = write(dir.path(), "all.ts", &pictures.iter().collect::<Vec<_>>());
    decode(&joined);
    check_counters(&std::fs::read(&joined).expect("read"));
}

/// Continuity counters run on from packet to packet.
fn check_counters(bytes: &[u8]) {
    let mut counters = std::collections::HashMap::new();
    for packet in bytes.chunks_exact(188) {
        let (pid, counter) = (u16::from_be_bytes([packet[1] & 0x1f, packet[2]]), packet[3] & 15);
        if let Some(last) = counters.insert(pid, counter) {
            assert_eq!(counter, (last + 1) & 15, "counter of {pid}");
        }
    }
}
