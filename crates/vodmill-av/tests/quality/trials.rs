//! Samples of an original, encoded and scored in memory.

use std::path::Path;

use vodmill_av::Libav;
use vodmill_model::analysis::{Analysis, AnalysisPlan, Probe};
use vodmill_model::plan::{Budget, VideoEncode};
use vodmill_model::transcode::{AnalysisOrder, Progress, Transcode};
use vodmill_model::units::{Crf, Ratio, Size};

use crate::decode::clips::Clips;
use crate::decode::orders::{Job, rung};

const RATE: Ratio = Ratio { num: 25, den: 1 };
const LARGE: Size = Size { width: 160, height: 90 };
const SMALL: Size = Size { width: 96, height: 54 };

fn filter(size: Size) -> String {
    let Size { width, height } = size;
    format!("scale={width}:{height}:flags=bicubic+accurate_rnd+bitexact,setsar=1,format=yuv420p")
}

fn probe(crf: i32, size: Size) -> Probe {
    let mut encode = VideoEncode { id: format!("crf{crf}"), size, filter: filter(size), ..rung() };
    encode.options.insert("crf".to_owned(), (crf / 10).to_string());
    Probe { crf: Crf(crf), encode }
}

/// Two trials at the larger size and one at the smaller, of two samples of twenty frames.
fn analyse(original: &Path, rate: Ratio) -> Analysis {
    let job = Job::new(original, rate);
    let samples = [5, 30].map(|first| job.order("sample", first, 20).chunk);
    let plan = AnalysisPlan {
        decode: job.order("sample", 0, 1).decode,
        rate,
        samples: samples.into(),
        size: LARGE,
        filter: filter(LARGE),
        probes: vec![probe(210, LARGE), probe(450, LARGE), probe(210, SMALL)],
        budget: Budget::default(),
    };
    let order = AnalysisOrder { original: original.to_owned(), plan };
    Libav.analyse(&order, &|_: Progress| {}).unwrap()
}

fn mean(analysis: &Analysis, sample: usize, trial: usize) -> f64 {
    let scores = &analysis.samples[sample].trials[trial].scores;
    scores.iter().map(|score| score.points()).sum::<f64>() / scores.len() as f64
}

fn assert_plausible(analysis: &Analysis) {
    for (number, sample) in analysis.samples.iter().enumerate() {
        assert_eq!(sample.fault, None);
        let [good, bad, small] = &sample.trials[..] else { panic!("{sample:?}") };
        assert!(good.bytes > bad.bytes && bad.bytes > 0, "{good:?} {bad:?}");
        assert_eq!((good.scores.len(), bad.scores.len(), small.scores.len()), (4, 4, 4));
        let [high, low, scaled] = [0, 1, 2].map(|trial| mean(analysis, number, trial));
        assert!(high > 80.0 && high > low + 10.0 && high > scaled, "{high} {low} {scaled}");
    }
}

#[test]
fn trials_are_facts_that_repeat() {
    let clips = Clips::new();
    let original = clips.plain();
    let analysis = analyse(&original, RATE);
    assert_plausible(&analysis);
    assert_eq!(analyse(&original, RATE), analysis);
    let firsts: Vec<u64> = analysis.samples.iter().map(|sample| sample.first_frame).collect();
    assert_eq!(firsts, [5, 30]);
}

#[test]
fn pictures_come_the_way_that_those_of_encodes_come() {
    let clips = Clips::new();
    let vfr = "-vf select='not(mod(n\\,7))+gt(random(0)\\,0.5)' -vsync vfr";
    let fields = "-vf tinterlace=interleave_top,setfield=tff -c:v mpeg2video -q:v 2 \
                  -flags +ilme+ildct -bf 2 -g 10";
    let deep = "-c:v libx264 -pix_fmt yuv420p10le -qp 4";
    let odd = "-c:v ffv1 -pix_fmt yuv444p";
    for original in [
        clips.h264("testsrc2=s=160x90:r=60:d=4", vfr, "vfr.mkv"),
        clips.make("testsrc2=s=160x96:r=50:d=3", fields, "fields.mpg"),
        clips.make("testsrc2=s=160x90:r=25:d=3", deep, "deep.mp4"),
        clips.make("testsrc2=s=163x91:r=25:d=3", odd, "odd.mkv"),
    ] {
        println!("{}", original.display());
        assert_plausible(&analyse(&original, RATE));
    }
}

#[test]
fn a_sample_that_is_damaged_is_told_and_others_are_tried() {
    let clips = Clips::new();
    let original = clips.h264("testsrc2=s=160x90:r=25:d=2", "-movflags +faststart", "damaged.mp4");
    let job = Job::new(&original, RATE);
    let bytes = std::fs::read(&original).unwrap();
    let media = bytes.windows(4).position(|window| window == b"mdat").unwrap() + 4;
    assert!(job.track().seek_points.len() > 2);
    let mut hurt = bytes.clone();
    let late = media + (bytes.len() - media) * 3 / 4;
    hurt[late..late + 1500].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&original, hurt).unwrap();
    let analysis = analyse(&original, RATE);
    let faults: Vec<bool> = analysis.samples.iter().map(|it| it.fault.is_some()).collect();
    assert_eq!(faults, [false, true], "{analysis:?}");
    assert!(analysis.samples[1].trials.is_empty());
}
