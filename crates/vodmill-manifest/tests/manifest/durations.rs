//! What is left of an EXTINF that is kept as a 32-bit float: facts of m3u8-rs that the proof rests on.

use vodmill_manifest::hls::{MediaPlaylist, Segment};
use vodmill_manifest::time::Seconds;

/// Microseconds that are read where these stand in a playlist.
fn read(micros: &[u64]) -> Vec<u64> {
    let segment = |micros: &u64| Segment {
        uri: "a.ts".into(),
        duration: Seconds::new(*micros, 1_000_000).unwrap(),
        byte_range: None,
        key: None,
    };
    let segments = micros.iter().map(segment).collect();
    let written = MediaPlaylist { segments, ..MediaPlaylist::default() }.write().unwrap();
    MediaPlaylist::read(written.as_bytes()).unwrap().micros().unwrap()
}

/// Key frames are 10 s apart at most, and their durations are added up.
#[test]
fn below_sixteen_seconds_every_microsecond_is_kept() {
    let micros: Vec<u64> = (1..16_000_000).step_by(101).chain([15_999_999]).collect();
    assert_eq!(read(&micros), micros);
}

/// A segment has 60 s at most, and the last may take in a short end. The proof allows 12 µs.
#[test]
fn longer_ones_are_off_by_less_than_a_tick() {
    for (from, to, most) in [(16_000_000, 64_000_000, 2), (64_000_000, 128_000_000, 4)] {
        let micros: Vec<u64> = (from..to).step_by(3001).collect();
        let differences = micros.iter().zip(read(&micros)).map(|(a, b)| a.abs_diff(b));
        let worst = differences.max().unwrap();
        assert!((1..=most).contains(&worst), "{worst} µs from {from} µs on");
    }
}

/// 59.499999 s is 59 s in EXT-X-TARGETDURATION, and read as 59.5 s.
#[test]
fn what_is_read_too_long_is_held_against_no_one() {
    assert_eq!(read(&[59_499_999]), [59_500_000]);
}
