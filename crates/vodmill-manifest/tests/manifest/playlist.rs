use vodmill_manifest::hls::{ByteRange, KeyRef, MediaPlaylist, PlaylistError, Segment};
use vodmill_manifest::time::{DurationOverflow, Seconds};

use crate::Numbers;

fn segment(duration: Seconds) -> Segment {
    Segment { uri: "a.ts".into(), duration, byte_range: None, key: None }
}

fn playlist(segments: Vec<Segment>) -> MediaPlaylist {
    MediaPlaylist { vod: true, ended: true, segments, ..MediaPlaylist::default() }
}

#[test]
fn extinf_never_drifts() {
    // A thirtieth of a second has no end in decimals; ten thousand of them do.
    let thirtieth = Seconds::new(1, 30).unwrap();
    let sum: u64 = playlist(vec![segment(thirtieth); 9_000]).micros().unwrap().iter().sum();
    assert_eq!(sum, 300_000_000);

    let mut numbers = Numbers(11);
    for _ in 0..100 {
        let durations: Vec<u64> = (0..50).map(|_| numbers.next(900_000) + 1).collect();
        let row = durations.iter().map(|ticks| segment(Seconds::from_ticks(*ticks))).collect();
        let micros = playlist(row).micros().unwrap();
        let (mut exact, mut told) = (0_u64, 0_u64);
        for (ticks, micros) in durations.iter().zip(micros) {
            exact += ticks * 100;
            told += micros * 9;
            assert!(exact.abs_diff(told) <= 5, "half a microsecond at most");
        }
    }
}

#[test]
fn the_target_is_the_rounded_longest() {
    let target = |num: u64, den: u32| {
        let duration = Seconds::new(num, den).unwrap();
        playlist(vec![segment(duration)]).needed_target_duration().unwrap()
    };
    assert_eq!(target(6_006, 1000), 6);
    assert_eq!(target(6_499, 1000), 6);
    assert_eq!(target(6_500, 1000), 7);
    assert_eq!(target(2, 10), 1);
}

#[test]
fn versions_of_section_7() {
    let clear = playlist(vec![segment(Seconds::whole(6))]);
    assert_eq!(clear.needed_version(), 3);
    let i_frames = MediaPlaylist { i_frames_only: true, ..clear.clone() };
    assert_eq!(i_frames.needed_version(), 4);
    let mut ranges = clear.clone();
    ranges.segments[0].byte_range = Some(ByteRange { length: 1, offset: 0 });
    assert_eq!(ranges.needed_version(), 4);
    let init = vodmill_manifest::hls::InitSection { uri: "i.mp4".into(), byte_range: None };
    let map = MediaPlaylist { init: Some(init.clone()), ..clear };
    assert_eq!(map.needed_version(), 6);
    let map_i_frames = MediaPlaylist { init: Some(init), ..i_frames };
    assert_eq!(map_i_frames.needed_version(), 5);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let good = segment(Seconds::whole(6));
    assert_eq!(playlist(vec![]).write(), Err(PlaylistError::Empty));
    let none = playlist(vec![good.clone(), segment(Seconds::whole(0))]);
    assert_eq!(none.write(), Err(PlaylistError::ZeroDuration(1)));
    for uri in ["", "#a", "a b", "a\nb", "a\r", "a\"b"] {
        let bad = Segment { uri: uri.into(), ..good.clone() };
        assert!(matches!(playlist(vec![bad]).write(), Err(PlaylistError::Uri(_))), "{uri:?}");
        let key = Some(KeyRef { uri: uri.into(), iv: None });
        let bad = Segment { key, ..good.clone() };
        assert!(matches!(playlist(vec![bad]).write(), Err(PlaylistError::Uri(_))), "{uri:?}");
    }
    for (length, offset) in [(0, 0), (1, u64::MAX)] {
        let bad = Segment { byte_range: Some(ByteRange { length, offset }), ..good.clone() };
        assert_eq!(playlist(vec![bad]).write(), Err(PlaylistError::ByteRange { length, offset }));
    }
    let primes = [4_294_967_291, 4_294_967_279, 4_294_967_231];
    let odd = primes.map(|den| segment(Seconds::new(1 << 40, den).unwrap()));
    assert_eq!(playlist(odd.to_vec()).write(), Err(DurationOverflow.into()));
}

#[test]
fn a_clear_segment_after_a_sealed_one_says_so() {
    let mut row = vec![segment(Seconds::whole(6)); 3];
    row[1].key = Some(KeyRef { uri: "k".into(), iv: Some([1; 16]) });
    let text = playlist(row.clone()).write().unwrap();
    assert!(text.contains("#EXT-X-KEY:METHOD=NONE\n"));
    assert_eq!(MediaPlaylist::read(text.as_bytes()).unwrap().segments, row);
}

#[test]
fn random_playlists_read_back_as_they_were() {
    let mut numbers = Numbers(5);
    for _ in 0..300 {
        let count = numbers.next(20) + 1;
        let segments = (0..count).map(|n| random_segment(&mut numbers, n)).collect();
        let written = MediaPlaylist {
            target_duration: 20,
            media_sequence: numbers.next(9),
            independent_segments: numbers.next(2) == 0,
            i_frames_only: numbers.next(2) == 0,
            ..playlist(segments)
        };
        let text = written.write().unwrap();
        assert_eq!(MediaPlaylist::read(text.as_bytes()).unwrap(), written);
    }
}

fn random_segment(numbers: &mut Numbers, n: u64) -> Segment {
    let key = KeyRef {
        uri: format!("https://k/{}", numbers.next(3)),
        iv: Some(numbers.bytes(16).try_into().unwrap()),
    };
    let range = ByteRange { length: numbers.next(1 << 20) + 1, offset: numbers.next(1 << 30) };
    Segment {
        uri: format!("{n}.ts"),
        duration: Seconds::new(numbers.next(9_000_000) + 1, 1_000_000).unwrap(),
        byte_range: (numbers.next(2) == 0).then_some(range),
        key: (numbers.next(4) > 0).then_some(key),
    }
}
