//! Plans of titles whose quality is chosen from trials.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{build, catalogue, fixture, fixture_names};
use vodmill_model::analysis::{Analysis, AnalysisPlan, Probe, Sample, Trial};
use vodmill_model::media::SeekPoint;
use vodmill_model::quality::Score;
use vodmill_model::units::Crf;
use vodmill_model::{
    JobSpec, MediaInfo, Plan, PlanInput, QualityTarget, Rejected, analysis_plan, plan,
};

/// What the default pipeline asks for, with a quality for each title.
fn spec(score: u8) -> JobSpec {
    let catalogue = catalogue();
    let mut pipeline = catalogue.pipelines["default"].clone();
    pipeline.quality = Some(QualityTarget::Vmaf(score));
    JobSpec::of_pipeline("default", &pipeline, &catalogue.presets).unwrap()
}

fn trials_of(media: &MediaInfo) -> Result<Option<AnalysisPlan>, Rejected> {
    let (spec, build) = (spec(95), build());
    analysis_plan(&PlanInput { media, spec: &spec, analysis: None, build: &build })
}

fn plan_with(media: &MediaInfo, analysis: Option<&Analysis>) -> Result<Plan, Rejected> {
    let (spec, build) = (spec(95), build());
    plan(&PlanInput { media, spec: &spec, analysis, build: &build })
}

/// A title that scores `points` at CRF 21 and loses one for each step, with `rate` bits a second there;
/// the size below has a third of the bytes and scores fifteen less.
fn analysis(trials: &AnalysisPlan, points: u32, rate: u64) -> Analysis {
    let trial = |probe: &Probe, frames: u64| {
        let steps = u32::try_from((probe.crf.0 - 210) / 10).unwrap();
        let below = probe.encode.size != trials.size;
        let points = points - steps - if below { 15 } else { 0 };
        let seconds = frames as f64 / trials.rate.approximate();
        let bytes = rate as f64 * seconds / 8.0 * 0.89_f64.powi(steps as i32);
        Trial {
            crf: probe.crf,
            size: probe.encode.size,
            bytes: if below { bytes / 3.0 } else { bytes } as u64,
            scores: vec![Score::from_thousandths(points * 1000); 10],
        }
    };
    let sample = |(first_frame, frames)| Sample {
        first_frame,
        frames,
        fault: None,
        trials: trials.probes.iter().map(|probe| trial(probe, frames)).collect(),
    };
    let stretches = trials.samples.iter().map(|it| (it.first_frame, it.frames));
    Analysis { samples: stretches.map(sample).collect() }
}

fn decision<'a>(plan: &'a Plan, about: &str) -> (&'a str, &'a str) {
    let found = plan.decisions.iter().find(|one| one.about == about).unwrap();
    (&found.choice, &found.reason)
}

#[test]
fn what_is_tried_fits_the_original() {
    let mut tried = 0;
    for name in fixture_names() {
        let media = fixture(&name);
        let Ok(Some(trials)) = trials_of(&media) else { continue };
        tried += 1;
        let plan = plan_with(&media, None).unwrap();
        let grid = plan.timeline.video.as_ref().unwrap();
        let mut end = 0;
        for sample in &trials.samples {
            assert!(sample.first_frame >= end && sample.frames > 0, "{name}: {sample:?}");
            assert!(sample.first_frame.is_multiple_of(grid.gop.0.into()), "{name}: {sample:?}");
            end = sample.first_frame + sample.frames;
        }
        assert!(end <= grid.frames, "{name}");
        for probe in &trials.probes {
            let options = &probe.encode.options;
            assert_eq!(options["crf"], probe.crf.to_string());
            assert!(!options.contains_key("maxrate") && !options.contains_key("b"), "{options:?}");
        }
        assert_eq!(plan.decode.as_ref(), Some(&trials.decode), "{name}");
    }
    assert!(tried >= 8, "{tried}");
}

#[test]
fn longer_titles_have_more_samples_and_a_day_has_two_dozen() {
    let count = |name: &str| trials_of(&fixture(name)).unwrap().map(|it| it.samples.len());
    assert_eq!(count("film-3h"), Some(24));
    assert_eq!(count("one-frame"), None);
    assert_eq!(count("audio-only"), None);
    assert_eq!(count("clock-jump"), None, "it would be read from its beginning each time");
}

#[test]
fn a_short_title_is_judged_by_its_hardest_part() {
    let mut media = fixture("plain-1080p25");
    let sample = |media: &MediaInfo| match &trials_of(media).unwrap().unwrap().samples[..] {
        [one] => (one.first_frame / 25, one.frames / 25),
        several => panic!("{several:?}"),
    };
    let middle = sample(&media);
    let track = &mut media.video[0];
    let second = track.time_base.inverse().scale(1, 1);
    track.seek_points =
        [0, 8, 12].map(|at| SeekPoint { pts: track.first + at * second, packet: 0 }).into();
    track.seek_bytes = vec![800, 4_000, 900];
    let hardest = sample(&media);
    assert!((8..=10).contains(&hardest.0), "{hardest:?}");
    assert_eq!(hardest.1, middle.1);
    media.video[0].seek_bytes = vec![u64::MAX; 3];
    sample(&media);
}

#[test]
fn a_title_that_is_easy_gets_fewer_bytes_and_one_that_is_hard_gets_more() {
    let media = fixture("film-3h");
    let trials = trials_of(&media).unwrap().unwrap();
    let crf = |points, rate| {
        let plan = plan_with(&media, Some(&analysis(&trials, points, rate))).unwrap();
        let top = plan.quality.as_ref().unwrap().expected.last().unwrap().clone();
        let encode = plan.video_encode(&top.encode).unwrap();
        assert_eq!(encode.options["crf"], top.crf.to_string());
        assert!(encode.options["maxrate"].parse::<u64>().unwrap() <= 6_000_000);
        top.crf
    };
    let (easy, plain, hard) = (crf(99, 2_000_000), crf(97, 2_000_000), crf(94, 2_000_000));
    assert!(easy > plain && plain > hard, "{easy} {plain} {hard}");
    assert!(easy > Crf(220) && hard < Crf(220), "{easy} {hard}: the preset has 22");
}

#[test]
fn the_decision_says_its_numbers() {
    let media = fixture("film-3h");
    let trials = trials_of(&media).unwrap().unwrap();
    let plan = plan_with(&media, Some(&analysis(&trials, 99, 2_000_000))).unwrap();
    let (choice, reason) = decision(&plan, "quality");
    assert!(choice.starts_with("CRF 2") && choice.ends_with(" for high"), "{choice}");
    for part in ["predicted from 24 samples", "95 is asked for", "fixed 22 would be", "% larger"] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
}

#[test]
fn a_score_that_is_out_of_reach_is_said() {
    let media = fixture("film-3h");
    let trials = trials_of(&media).unwrap().unwrap();
    let reason = |points, rate| {
        let plan = plan_with(&media, Some(&analysis(&trials, points, rate))).unwrap();
        decision(&plan, "quality").1.to_owned()
    };
    assert!(!reason(97, 2_000_000).contains("out of reach"));
    let (flat, heavy) = (reason(80, 2_000_000), reason(94, 30_000_000));
    for reason in [flat, heavy] {
        let wanted = "95 is asked for, out of reach with CRF 18 and a peak of 6000k";
        assert!(reason.contains(wanted), "{reason}");
    }
}

#[test]
fn samples_that_cannot_be_decoded_are_left_out_and_said() {
    let media = fixture("film-3h");
    let trials = trials_of(&media).unwrap().unwrap();
    let mut analysis = analysis(&trials, 99, 2_000_000);
    let lose = |sample: &mut Sample| {
        (sample.fault, sample.trials) = (Some("3 frames are damaged".to_owned()), Vec::new());
    };
    analysis.samples.iter_mut().take(4).for_each(lose);
    let plan = plan_with(&media, Some(&analysis)).unwrap();
    let reason = decision(&plan, "quality").1;
    assert!(
        reason.contains("from 20 samples") && reason.contains("4 samples could not"),
        "{reason}"
    );
    assert_eq!(plan.quality.unwrap().samples.len(), 20);
    analysis.samples.iter_mut().for_each(lose);
    let plan = plan_with(&media, Some(&analysis)).unwrap();
    assert_eq!((decision(&plan, "quality").0, &plan.quality), ("fixed", &None));
    assert!(decision(&plan, "quality").1.contains("3 frames are damaged"));
}

#[test]
fn the_same_analysis_gives_the_same_plan_and_another_one_another() {
    let media = fixture("film-3h");
    let trials = trials_of(&media).unwrap().unwrap();
    let of = |points| analysis(&trials, points, 2_000_000);
    let digest = |analysis: &Analysis| plan_with(&media, Some(analysis)).unwrap().digest();
    let written = serde_json::to_string(&of(97)).unwrap();
    assert_eq!(digest(&serde_json::from_str(&written).unwrap()), digest(&of(97)));
    assert_ne!(digest(&of(97)), digest(&of(98)));
}

#[test]
fn a_rung_too_many_falls_away_and_its_file_stays() {
    let media = fixture("film-3h");
    let trials = trials_of(&media).unwrap().unwrap();
    // Slides: what a phone's line carries is enough for the largest size.
    let plan = plan_with(&media, Some(&analysis(&trials, 99, 120_000))).unwrap();
    let rungs: Vec<_> = plan.hls().unwrap().variants.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(rungs, ["high"]);
    for file in plan.files() {
        assert!(plan.video_encode(file.video.as_ref().unwrap()).is_some(), "{}", file.object);
    }
}
