use vodmill_manifest::bandwidth::{BandwidthError, BitRates, SegmentSize};
use vodmill_manifest::time::Seconds;

use crate::Numbers;

fn segment(bytes: u64, ticks: u64) -> SegmentSize {
    SegmentSize { bytes, duration: Seconds::from_ticks(ticks) }
}

#[test]
fn a_short_last_segment_counts_only_within_a_run() {
    // The last lasts 1 s of 6: by itself it is no run, with the one before it is.
    let sizes = [segment(600_000, 540_000), segment(600_000, 540_000), segment(500_000, 90_000)];
    let rates = BitRates::measure(&sizes, 6).unwrap();
    assert_eq!(rates.peak, 1_100_000 * 8_u64.div_ceil(1) / 7 + 1);
    assert_eq!(rates.average, (1_700_000_u64 * 8).div_ceil(13));
}

#[test]
fn both_bounds_belong_to_the_range() {
    // 3 s is half of 6: counts. Alone it has the peak.
    let sizes = [segment(300_000, 270_000), segment(30, 540_000)];
    assert_eq!(BitRates::measure(&sizes, 6).unwrap().peak, 800_000);
    // 9 s is one and a half: counts, and no shorter run does.
    let sizes = [segment(900_000, 810_000)];
    assert_eq!(BitRates::measure(&sizes, 6).unwrap().peak, 800_000);
}

#[test]
fn without_a_run_the_whole_counts() {
    let rates = BitRates::measure(&[segment(1_000, 90_000)], 6).unwrap();
    assert_eq!(rates, BitRates { peak: 8_000, average: 8_000 });
    assert_eq!(BitRates::measure(&[], 6), Err(BandwidthError::NoMedia));
    assert_eq!(BitRates::measure(&[segment(1, 0)], 6), Err(BandwidthError::NoMedia));
}

#[test]
fn peak_is_that_of_a_plain_search() {
    let mut numbers = Numbers(7);
    for _ in 0..200 {
        let count = numbers.next(12) + 1;
        let sizes: Vec<_> =
            (0..count).map(|_| segment(numbers.next(90_000), numbers.next(500_000) + 1)).collect();
        let mut best = None;
        for first in 0..sizes.len() {
            for end in first + 1..=sizes.len() {
                let ticks: u64 = sizes[first..end].iter().map(|s| s.duration.num()).sum();
                let bytes: u64 = sizes[first..end].iter().map(|s| s.bytes).sum();
                if (270_000..=810_000).contains(&ticks) {
                    best = best.max(Some((bytes * 8 * 90_000).div_ceil(ticks)));
                }
            }
        }
        let rates = BitRates::measure(&sizes, 6).unwrap();
        assert_eq!(rates.peak, best.unwrap_or(rates.average));
    }
}

#[test]
fn a_variant_carries_its_largest_audio() {
    let video = BitRates { peak: 5_000, average: 4_000 };
    let audio = [BitRates { peak: 130, average: 128 }, BitRates { peak: 200, average: 120 }];
    assert_eq!(video.with_group(&audio), BitRates { peak: 5_200, average: 4_128 });
    assert_eq!(video.with_group(&[]), video);
}
