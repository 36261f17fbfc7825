//! The meter by itself, on pictures that are made here.

use vodmill_av::quality::{GREATEST_SIDE, LEAST_SIDE, Luma, Meter, Models};
use vodmill_model::quality::{BitDepth, FrameScore, Quality, Score, Ssim, Subsample};
use vodmill_model::units::Size;

fn models(width: u32, height: u32, depth: BitDepth) -> Models {
    Models { size: Size { width, height }, depth, subsample: Subsample::Third, neg: true }
}

/// A texture that moves, in rows with some bytes to spare.
fn picture(models: &Models, frame: usize, blur: usize) -> (Vec<u8>, usize) {
    let (width, height) = (models.size.width as usize, models.size.height as usize);
    let bytes = if models.depth == BitDepth::Eight { 1 } else { 2 };
    let stride = width * bytes + 6;
    let mut data = vec![0; stride * height];
    for y in 0..height {
        for x in 0..width {
            let (u, v) = ((x + 2 * frame) / blur * blur, y / blur * blur);
            let value = 40 + (u * 37 + v * 61 + u * v % 29 * 5) % 170;
            match bytes {
                1 => data[y * stride + x] = value as u8,
                _ => {
                    let at = y * stride + 2 * x;
                    data[at..at + 2].copy_from_slice(&(value as u16 * 4).to_le_bytes());
                }
            }
        }
    }
    (data, stride)
}

/// Sizes and bits, blur, frames between two that are scored, and the means of VMAF, NEG and SSIM that
/// FFmpeg 9.0.2 (imageio-ffmpeg 0.8.1) gives for these pictures: its libvmaf is another build.
type Expected = ((u32, u32), u8, usize, u32, [f64; 3]);

const BY_FFMPEG: [Expected; 6] = [
    ((320, 180), 8, 2, 3, [16.171, 16.776, 0.239873]),
    ((320, 180), 10, 2, 5, [14.349, 15.287, 0.240905]),
    ((641, 361), 8, 3, 3, [12.434, 11.971, 0.107979]),
    ((641, 361), 10, 2, 5, [14.336, 14.898, 0.237775]),
    ((640, 96), 10, 1, 3, [99.357, 99.357, 1.0]),
    ((360, 640), 8, 2, 5, [13.444, 14.658, 0.238501]),
];

#[test]
fn scores_are_those_of_ffmpeg() {
    for ((width, height), bits, blur, step, expected) in BY_FFMPEG {
        let depth = BitDepth::try_from(bits).unwrap();
        let subsample = Subsample::try_from(step).unwrap();
        let models = Models { subsample, ..models(width, height, depth) };
        let quality = Quality::of(&scores(models, blur)).unwrap();
        let found = [quality.mean.points(), quality.neg.unwrap().points(), quality.ssim.into()];
        let near = |(found, expected): (&f64, &f64)| (found - expected).abs() < 0.002;
        assert!(found.iter().zip(&expected).all(near), "{width}x{height}, {bits} bits: {found:?}");
    }
}

fn scores(models: Models, blur: usize) -> Vec<FrameScore> {
    let mut meter = Meter::new(models).unwrap();
    for frame in 0..10 {
        let (reference, stride) = picture(&models, frame, 1);
        let (distorted, _) = picture(&models, frame, blur);
        let distorted = Luma { data: &distorted, stride };
        let distorted = meter.scores_next().then_some(distorted);
        meter.push(70 + frame as u64, Luma { data: &reference, stride }, distorted).unwrap();
    }
    meter.finish().unwrap()
}

#[test]
fn every_third_frame_is_scored_and_equal_pictures_are_best() {
    for depth in [BitDepth::Eight, BitDepth::Ten] {
        let (same, worse) = (scores(models(97, 61, depth), 1), scores(models(97, 61, depth), 3));
        let numbers: Vec<u64> = same.iter().map(|score| score.frame).collect();
        assert_eq!(numbers, [70, 73, 76, 79]);
        for (same, worse) in same.iter().zip(&worse) {
            assert_eq!(same.ssim, Ssim::MAX);
            assert!(same.vmaf > Score::from_thousandths(95_000), "{same:?}");
            assert!(worse.vmaf < same.vmaf && worse.neg < same.neg, "{worse:?}");
            assert!(worse.ssim < same.ssim, "{worse:?}");
        }
    }
}

#[test]
fn the_same_pictures_have_the_same_scores() {
    let eight = models(64, 64, BitDepth::Eight);
    assert_eq!(scores(eight, 2), scores(eight, 2));
}

#[test]
fn frames_follow_one_another() {
    let models = models(64, 48, BitDepth::Eight);
    let (data, stride) = picture(&models, 0, 1);
    let luma = Luma { data: &data, stride };
    let mut meter = Meter::new(models).unwrap();
    assert!(meter.push(5, luma, None).is_err(), "the first frame is scored");
    meter.push(5, luma, Some(luma)).unwrap();
    assert!(meter.push(7, luma, None).is_err(), "frame 6 is missing");
    let short = Luma { data: &data[..data.len() - 7], stride };
    assert!(meter.push(6, short, None).is_err(), "a row is too short");
    meter.push(6, luma, None).unwrap();
    assert_eq!(meter.finish().unwrap().len(), 1);
}

#[test]
fn sizes_that_libvmaf_does_not_take_are_refused_in_words() {
    let of = |width, height| Meter::new(models(width, height, BitDepth::Eight)).map(drop);
    for (width, height) in [(0, 0), (LEAST_SIDE - 1, 64), (64, 1), (GREATEST_SIDE + 1, 64)] {
        let refused = of(width, height).unwrap_err().to_string();
        assert!(refused.contains("VMAF takes sides of"), "{refused}");
    }
    of(LEAST_SIDE, LEAST_SIDE).unwrap();
}

#[test]
fn no_frames_have_no_scores() {
    let meter = Meter::new(models(64, 64, BitDepth::Ten)).unwrap();
    assert_eq!(meter.finish().unwrap(), []);
}
