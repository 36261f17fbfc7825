//! The model against real clips, and what must hold for any title.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::choice::Choice;
use super::model::TitleModel;
use super::rungs::QualityRungs;
use crate::analysis::{Sample, Trial};
use crate::plan::VideoEncode;
use crate::quality::Score;
use crate::units::{Crf, Gop, Ratio, Size};

/// Trials of a clip and what it came to, encoded with the options of the default ladder at those CRF.
/// Measured with x264 r3095 and VMAF v0.6.1 of every fifth frame.
#[derive(Deserialize)]
struct Clip {
    clip: String,
    rate: Ratio,
    size: Size,
    sample: Sample,
    encoded: Vec<Encoded>,
}

#[derive(Deserialize)]
struct Encoded {
    crf: Crf,
    bytes: u64,
    mean: f64,
    p5: f64,
}

fn clips() -> Vec<Clip> {
    serde_json::from_str(include_str!("../../../tests/titles/clips.json")).expect("clips")
}

fn encode(id: &str, size: Size, cap: u64) -> VideoEncode {
    let options = [("preset", "medium"), ("crf", "23")];
    let mut options: BTreeMap<String, String> =
        options.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    options.insert("maxrate".to_owned(), cap.to_string());
    options.insert("bufsize".to_owned(), (2 * cap).to_string());
    VideoEncode {
        id: id.to_owned(),
        size,
        filter: String::new(),
        encoder: "libx264".to_owned(),
        options,
        gop: Gop(50),
        types: None,
        hdr10: Default::default(),
    }
}

/// `cargo test -p vodmill-model clips -- --nocapture` prints the table.
#[test]
fn clips_score_and_take_what_was_predicted() {
    let mut wrong = Vec::new();
    for Clip { clip, rate, size, sample, encoded } in clips() {
        let seconds = sample.frames as f64 / rate.approximate();
        let model = TitleModel::of(size, rate, &[sample], true).expect("a model");
        for Encoded { crf, bytes, mean, p5 } in encoded {
            let at = model.at(crf.value(), f64::MAX);
            let size = at.rate * seconds / 8.0 / bytes as f64;
            let (off, off_p5) = (at.mean - mean, at.p5 - p5);
            println!(
                "{clip:36} {crf}: {mean:.2} {off:+.2}, p5 {p5:.2} {off_p5:+.2}, bytes x{size:.3}"
            );
            if off.abs() > 1.0 || off_p5.abs() > 2.5 || (size - 1.0).abs() > 0.08 {
                wrong.push(format!("{clip} at {crf}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn what_was_scaled_up_is_given_back_to_the_size_below() {
    let dropped = |clip: &Clip| {
        let Size { width, height } = clip.size;
        let below = Size { width: width / 2, height: height / 2 };
        let encodes = [encode("low", below, 2_000_000), encode("high", clip.size, 6_000_000)];
        let list = vec![("low", &encodes[0]), ("high", &encodes[1])];
        let rungs = QualityRungs { target: 95, list };
        let samples = [clip.sample.clone()];
        let model = TitleModel::of(clip.size, clip.rate, &samples, true).expect("a model");
        Choice::of(&model, &rungs).dropped.iter().map(|(name, _)| *name).collect::<Vec<_>>()
            == ["high"]
    };
    let clips = clips();
    let without_detail: Vec<_> = clips.iter().filter(|clip| dropped(clip)).collect();
    let names: Vec<_> = without_detail.iter().map(|clip| clip.clip.as_str()).collect();
    assert_eq!(names, ["bicycles, scaled up from 272 lines"]);
}

const SIZE: Size = Size { width: 1280, height: 720 };

fn trial(crf: i32, size: Size, bytes: u64, scores: &[u32]) -> Trial {
    let scores = scores.iter().map(|&score| Score::from_thousandths(score)).collect();
    Trial { crf: Crf(crf), size, bytes, scores }
}

prop_compose! {
    /// Any sample, one that makes no sense included.
    fn sample()(
        high in prop::collection::vec(0..=100_000_u32, 10),
        lost in prop::collection::vec(0..40_000_u32, 10),
        below in prop::collection::vec(0..=100_000_u32, 10),
        bytes in prop::array::uniform3(0..4_000_000_u64),
    ) -> Sample {
        let low: Vec<u32> = high.iter().zip(lost).map(|(&score, lost)| score.saturating_sub(lost)).collect();
        let half = Size { width: 640, height: 360 };
        let trials = vec![
            trial(210, SIZE, bytes[0], &high),
            trial(270, SIZE, bytes[1], &low),
            trial(210, half, bytes[2], &below),
        ];
        Sample { first_frame: 0, frames: 50, fault: None, trials }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn more_quality_never_takes_a_higher_crf(
        samples in prop::collection::vec(sample(), 1..4),
        cap in 50_000..9_000_000_u64,
    ) {
        let top = encode("top", SIZE, cap);
        let model = TitleModel::of(SIZE, Ratio::new(25, 1), &samples, true).expect("a model");
        let mut last = Crf(300);
        for target in 70..=99 {
            let rungs = QualityRungs { target, list: vec![("top", &top)] };
            let crf = Choice::of(&model, &rungs).rungs[0].crf;
            prop_assert!(crf <= last && crf >= Crf(180), "{target}: {crf} after {last}");
            last = crf;
        }
    }

    #[test]
    fn no_rung_takes_more_than_its_cap_and_one_stays(
        samples in prop::collection::vec(sample(), 1..4),
        caps in prop::array::uniform3(20_000..9_000_000_u64),
        target in 70..=99_u8,
    ) {
        let sizes = [(320, 180), (640, 360), (1280, 720)].map(|(width, height)| Size { width, height });
        let encodes = [0, 1, 2].map(|number| encode(&number.to_string(), sizes[number], caps[number]));
        let list = encodes.iter().map(|encode| (encode.id.as_str(), encode)).collect();
        let rungs = QualityRungs { target, list };
        let model = TitleModel::of(SIZE, Ratio::new(25, 1), &samples, true).expect("a model");
        let choice = Choice::of(&model, &rungs);
        prop_assert_eq!(choice.rungs.len() + choice.dropped.len(), 3);
        prop_assert!(!choice.rungs.is_empty());
        for rung in &choice.rungs {
            let cap: u64 = rung.encode.options["maxrate"].parse().expect("a rate");
            prop_assert!(rung.peak <= cap && rung.peak > 0, "{} of {cap}", rung.peak);
            prop_assert!(rung.rate <= cap as f64 * 1.001, "{} of {cap}", rung.rate);
            prop_assert!((180..=300).contains(&rung.crf.0));
        }
    }

    #[test]
    fn more_bits_are_never_predicted_of_a_higher_crf(
        samples in prop::collection::vec(sample(), 1..4),
        crf in 100..400_i32,
    ) {
        let model = TitleModel::of(SIZE, Ratio::new(25, 1), &samples, false).expect("a model");
        let at = |crf: i32| model.at(Crf(crf).value(), f64::MAX);
        prop_assert!(at(crf).rate >= at(crf + 5).rate);
        prop_assert!((0.0..=100.0).contains(&at(crf).mean));
    }
}
