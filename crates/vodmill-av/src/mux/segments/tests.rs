//! Sound alone, next to pictures that are not here: in runs as long as their chunks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use vodmill_model::transcode::Part;
use vodmill_model::units::Ratio;

use super::*;
use crate::rendition::tests::as_stream;
use crate::rendition::{AudioHeader, Header, PacketMeta, RenditionWriter};

const BASE: Ticks = Ticks::from_seconds(10);
const FRAME: i64 = 1024;

fn header(sample_rate: u32) -> Header {
    Header::Audio(AudioHeader {
        codec: "aac".to_owned(),
        sample_rate,
        channels: 2,
        initial_padding: FRAME as u32,
        extradata: vec![0x11, 0x90],
        bit_rate: 0,
    })
}

/// Packets of `samples`, each of `size` bytes and with its time in them.
fn packets(samples: i64, size: usize) -> impl Iterator<Item = (PacketMeta, Vec<u8>)> {
    (-FRAME..samples).step_by(FRAME as usize).map(move |pts| {
        let duration = FRAME.min(samples - pts);
        (PacketMeta { pts, dts: pts, duration, key: true }, marked(pts, size))
    })
}

/// Writes a rendition and gives its size.
fn sound(path: &Path, sample_rate: u32, samples: i64, size: usize) -> u64 {
    let mut writer = RenditionWriter::create(path, &header(sample_rate)).unwrap();
    for (meta, data) in packets(samples, size) {
        writer.write(&meta, &data).unwrap();
    }
    writer.finish().unwrap().bytes
}

fn marked(pts: i64, size: usize) -> Vec<u8> {
    let mut data = vec![0x21; size];
    data[1..9].copy_from_slice(&pts.to_be_bytes());
    data
}

/// The order for segments `first..` up to those that end at `ends[..end]`.
fn order(audio: &Path, container: Container, ends: &[Ticks], runs: [usize; 2]) -> SegmentOrder {
    let [first, end] = runs;
    let start = first.checked_sub(1).map_or(Ticks::ZERO, |before| ends[before]);
    let part = Part { first: first as u64, start, last: end == ends.len() };
    let (audio, cut) = (Some(audio.to_owned()), Cut::At(ends[first..end].to_vec()));
    SegmentOrder { container, video: None, audio, base: BASE, cut, part }
}

fn segments(order: &SegmentOrder) -> Vec<Segment> {
    let mut all = Vec::new();
    let made = segment(order, &mut |one| {
        all.push(one);
        Ok(())
    });
    made.unwrap();
    all
}

/// Segments of all runs of `length` segments each, without those for initialisation.
fn in_runs(audio: &Path, container: Container, ends: &[Ticks], length: usize) -> Vec<Segment> {
    let firsts = (0..ends.len()).step_by(length);
    let runs = firsts.map(|first| [first, ends.len().min(first + length)]);
    runs.flat_map(|run| segments(&order(audio, container, ends, run)))
        .filter(|segment| !segment.init)
        .collect()
}

/// Bytes that this thread has read from files so far.
fn read_so_far() -> u64 {
    let counts = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    counts.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[test]
fn all_runs_together_read_a_long_rendition_about_once() {
    let dir = tempfile::tempdir().unwrap();
    let audio = dir.path().join("a");
    // An hour at 128 kbit/s, in 60 runs of ten segments.
    let size = sound(&audio, 48_000, 3_600 * 48_000, 341);
    let ends: Vec<_> = (1..=600).map(|number| Ticks::from_seconds(6 * number)).collect();
    let before = read_so_far();
    let made = in_runs(&audio, Container::Fmp4, &ends, 10);
    let read = read_so_far() - before;
    assert_eq!(made.len(), ends.len());
    assert!(read > size * 9 / 10 && read < size * 5 / 4, "{read} bytes of {size}");
}

#[test]
fn runs_of_either_form_have_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (blocks, stream) = (dir.path().join("blocks"), dir.path().join("stream"));
    let samples = 120 * 48_000;
    sound(&blocks, 48_000, samples, 341);
    let all: Vec<_> = packets(samples, 341).collect();
    std::fs::write(&stream, as_stream(&header(48_000), &all)).unwrap();
    let ends: Vec<_> = (1..=20).map(|number| Ticks::from_seconds(6 * number)).collect();
    for container in [Container::Ts, Container::Fmp4] {
        for length in [1, 3, 20] {
            let made = in_runs(&blocks, container, &ends, length);
            assert!(made == in_runs(&stream, container, &ends, length), "{container:?}, {length}");
        }
    }
}

/// Ends of segments of two seconds and of a last one of `frames` frames, and the samples of all.
fn short_end(rate: Ratio, frames: u64, sample_rate: u32) -> (Vec<Ticks>, i64) {
    let segment = u64::from(2 * rate.num / rate.den);
    let numbers = [segment, 2 * segment, 3 * segment, 3 * segment + frames];
    let ends = numbers.map(|frame| rate.frame_start(frame)).to_vec();
    (ends, rate.inverse().scale(numbers[3] as i64, sample_rate.into()))
}

#[test]
fn a_last_segment_shorter_than_a_packet_has_the_last_packet() {
    let dir = tempfile::tempdir().unwrap();
    let audio = dir.path().join("a");
    let rates =
        [Ratio::new(120, 1), Ratio::new(60_000, 1001), Ratio::new(50, 1), Ratio::new(24, 1)];
    let cases = rates.into_iter().flat_map(|rate| [1, 3].map(move |frames| (rate, frames)));
    for ((rate, frames), sample_rate) in
        cases.flat_map(|case| [16_000, 44_100, 48_000].map(|samples| (case, samples)))
    {
        let (ends, samples) = short_end(rate, frames, sample_rate);
        sound(&audio, sample_rate, samples, 64);
        for container in [Container::Fmp4, Container::Ts] {
            let whole = in_runs(&audio, container, &ends, 4);
            assert_eq!(whole.len(), 4, "{rate:?}, {frames}, {sample_rate}");
            for length in [1, 2, 3] {
                let parts = in_runs(&audio, container, &ends, length);
                assert!(times(&parts) == times(&whole), "{length}");
                assert!(container == Container::Ts || parts == whole, "{length}");
            }
            assert_follow(&whole);
        }
        assert_all_are_there(&in_runs(&audio, Container::Fmp4, &ends, 1), samples);
    }
}

fn times(segments: &[Segment]) -> Vec<(Ticks, Ticks)> {
    segments.iter().map(|one| (one.start, one.duration)).collect()
}

fn assert_follow(segments: &[Segment]) {
    for pair in segments.windows(2) {
        assert!(
            pair[0].start + pair[0].duration == pair[1].start && pair[1].duration > Ticks::ZERO
        );
    }
}

/// Every packet once.
fn assert_all_are_there(segments: &[Segment], samples: i64) {
    let all = segments.iter().flat_map(|one| one.bytes.clone()).collect::<Vec<_>>();
    for pts in (0..samples).step_by(FRAME as usize) {
        let mark = marked(pts, 16);
        assert_eq!(memchr::memmem::find_iter(&all, &mark).count(), 1, "the packet at {pts}");
    }
}
