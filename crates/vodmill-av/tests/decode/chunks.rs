//! Chunks decoded apart show what the whole shows.

use std::path::Path;

use vodmill_model::media::ClockJump;
use vodmill_model::units::{Ratio, Ticks};

use super::clips::Clips;
use super::orders::{Job, encode};

/// Encodes `frames` at once and in chunks of `chunk`, and compares every picture; each chunk
/// also by reading from the beginning instead of seeking.
fn whole_and_chunks_agree(original: &Path, rate: Ratio, frames: u64, chunk: u64) {
    let job = Job::new(original, rate);
    let done = encode(&job.order("whole", 0, frames)).unwrap();
    assert_eq!(done.frames, frames);
    assert_eq!(done.source_frames + done.repeated_frames, frames);
    let mut seeks = 0;
    for first in (0..frames).step_by(chunk as usize) {
        let length = chunk.min(frames - first);
        let order = job.order("chunk", first, length);
        seeks += u64::from(order.chunk.seek.packet > 0);
        assert_eq!(encode(&order).unwrap().frames, length);
        let differ: Vec<u64> = (first..first + length)
            .filter(|&n| job.read_still("whole", n) != job.read_still("chunk", n))
            .collect();
        assert!(differ.is_empty(), "{original:?} {differ:?}, from {:?}", order.chunk.seek);
        let mut from_beginning = job.order("slow", first, length);
        from_beginning.decode.clock_jumps = match &job.info.clock_jumps[..] {
            [] => vec![ClockJump { packet: 0, shift: Ticks::ZERO }],
            jumps => jumps.to_vec(),
        };
        encode(&from_beginning).unwrap();
        assert!(job.rendition("chunk") == job.rendition("slow"), "seeking changes nothing");
    }
    assert!(seeks > 0, "{} was never sought in", original.display());
}

#[test]
fn constant_rate_mp4() {
    let clips = Clips::new();
    whole_and_chunks_agree(&clips.plain(), Ratio::new(25, 1), 50, 20);
}

#[test]
fn another_rate_than_the_source_has() {
    let clips = Clips::new();
    whole_and_chunks_agree(&clips.plain(), Ratio::new(30, 1), 60, 25);
}

#[test]
fn variable_rate_matroska() {
    let clips = Clips::new();
    let vfr = "-vf select='not(mod(n\\,7))+gt(random(0)\\,0.5)' -vsync vfr";
    let path = clips.h264("testsrc2=s=160x90:r=60:d=2", vfr, "vfr.mkv");
    whole_and_chunks_agree(&path, Ratio::new(24_000, 1001), 47, 20);
}

#[test]
fn transport_stream_that_does_not_start_at_zero() {
    let clips = Clips::new();
    let path = clips.h264("testsrc2=s=160x90:r=25:d=2", "-output_ts_offset 3600", "late.ts");
    whole_and_chunks_agree(&path, Ratio::new(25, 1), 50, 20);
}

#[test]
fn open_groups_of_mpeg_2_interlaced() {
    let clips = Clips::new();
    let path = clips.make(
        "testsrc2=s=160x96:r=50:d=2",
        "-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ilme+ildct -bf 2 -g 10",
        "fields.mpg",
    );
    whole_and_chunks_agree(&path, Ratio::new(25, 1), 50, 20);
}

#[test]
fn a_clock_that_jumps_and_a_size_that_changes() {
    let clips = Clips::new();
    let a = clips.h264("testsrc2=s=160x90:r=25:d=1", "", "a.ts");
    let b = clips.h264("testsrc2=s=320x180:r=25:d=1", "-output_ts_offset 9000", "b.ts");
    let both = [std::fs::read(a).unwrap(), std::fs::read(b).unwrap()].concat();
    let path = clips.write("both.ts", &both);
    let job = Job::new(&path, Ratio::new(25, 1));
    assert_eq!(job.info.clock_jumps.len(), 1);
    assert!(job.track().size_changes);
    whole_and_chunks_agree(&path, Ratio::new(25, 1), 50, 30);
}

#[test]
fn a_recording_behind_another_in_a_file_that_was_not_broadcast() {
    let clips = Clips::new();
    let path = clips.h264("testsrc2=s=160x90:r=25:d=2", "", "a.flv");
    let tags = std::fs::read(path).unwrap();
    // Without its head the file begins with its first tag.
    let path = clips.write("both.flv", &[&tags[..], &tags[13..]].concat());
    let job = Job::new(&path, Ratio::new(25, 1));
    assert_eq!(job.info.clock_jumps.len(), 1);
    whole_and_chunks_agree(&path, Ratio::new(25, 1), 100, 30);
}

#[test]
fn the_same_chunk_twice_is_the_same_bytes() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), Ratio::new(25, 1));
    encode(&job.order("one", 20, 20)).unwrap();
    encode(&job.order("two", 20, 20)).unwrap();
    assert!(job.rendition("one") == job.rendition("two"));
}

#[test]
fn the_last_picture_is_held_and_counted() {
    let clips = Clips::new();
    let job = Job::new(&clips.plain(), Ratio::new(25, 1));
    let done = encode(&job.order("longer", 40, 15)).unwrap();
    assert_eq!((done.frames, done.source_frames, done.repeated_frames), (15, 10, 5));
    assert_eq!(job.read_still("longer", 49), job.read_still("longer", 54));
}
