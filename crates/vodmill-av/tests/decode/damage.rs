//! Damage is counted, tolerated or refused, never silent.

use vodmill_model::outcome::Reason;
use vodmill_model::units::Ratio;

use super::clips::Clips;
use super::orders::{Job, encode, probe, reason};

#[test]
fn damaged_frames_are_counted_against_what_is_tolerated() {
    let clips = Clips::new();
    let path = clips.h264("testsrc2=s=160x90:r=25:d=2", "-movflags +faststart", "damaged.mp4");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 1500].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&path, bytes).unwrap();
    let job = Job::new(&path, Ratio::new(25, 1));
    let mut order = job.order("r", 0, 50);
    let done = encode(&order).unwrap();
    assert_eq!(done.frames, 50, "concealed");
    assert!((1..=20).contains(&done.damaged_frames), "{done:?}");
    order.tolerated_damage_per_mille = Some(1);
    assert_eq!(reason(encode(&order)), Reason::Damaged);
    order.tolerated_damage_per_mille = Some(1000);
    assert_eq!(encode(&order).unwrap(), done);
}

#[test]
fn a_sample_table_that_leads_beyond_the_file_is_seen() {
    let clips = Clips::new();
    let path = clips.h264("testsrc2=s=160x90:r=25:d=4", "-movflags +faststart", "vast.mp4");
    let whole = std::fs::read(&path).unwrap();
    assert!(!probe(&path).unwrap().truncated);
    let sizes = whole.windows(4).position(|window| window == b"stsz").unwrap() + 16;
    // The one is too large for libav, which then knows no sample from there on.
    for size in [0x0001_0000_u32, 0x3fff_ff00, 0x7fff_ff00] {
        let mut bytes = whole.clone();
        bytes[sizes + 4 * 30..][..4].copy_from_slice(&size.to_be_bytes());
        let info = probe(&clips.write("vast-1.mp4", &bytes)).unwrap();
        assert!(info.truncated, "{size:#x}: {info:?}");
    }
}

#[test]
fn a_chunk_without_a_single_frame_is_damaged() {
    let clips = Clips::new();
    let path = clips.h264("testsrc2=s=160x90:r=25:d=2", "-movflags +faststart", "gone.mp4");
    let job = Job::new(&path, Ratio::new(25, 1));
    let mut bytes = std::fs::read(&path).unwrap();
    let media = bytes.windows(4).position(|window| window == b"mdat").unwrap() + 4;
    bytes[media..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(reason(encode(&job.order("r", 0, 50))), Reason::Damaged);
}

#[test]
fn a_file_cut_off_is_truncated_or_incomplete() {
    let clips = Clips::new();
    let cut = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() * 6 / 10]).unwrap();
    };
    let end = clips.plain();
    cut(&end);
    assert_eq!(reason(probe(&end)), Reason::Incomplete, "its index was at the end");
    for (more, name) in
        [("-movflags +faststart", "begin.mp4"), ("", "cut.mkv"), ("", "cut.flv"), ("", "cut.asf")]
    {
        let path = clips.h264("testsrc2=s=160x90:r=25:d=2", more, name);
        assert!(!probe(&path).unwrap().truncated, "{name}");
        cut(&path);
        assert!(probe(&path).unwrap().truncated, "{name}");
    }
}
