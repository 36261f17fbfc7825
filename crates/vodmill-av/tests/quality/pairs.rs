//! Originals and what is compared with them.

use std::path::{Path, PathBuf};

use vodmill_av::Libav;
use vodmill_model::outcome::MediaError;
use vodmill_model::preset::FileContainer;
use vodmill_model::quality::{BitDepth, Quality, Ssim, Subsample};
use vodmill_model::transcode::{
    Comparison, DistortedMedia, DistortedOrder, FileOrder, MeasureOrder, Measured, Progress,
    Transcode, VideoInput,
};
use vodmill_model::units::{Ratio, Size};

use crate::decode::clips::Clips;
use crate::decode::orders::{Job, encode};

const RATE: Ratio = Ratio { num: 25, den: 1 };

fn comparison() -> Comparison {
    let size = Size { width: 160, height: 90 };
    let filter = "scale=160:90:flags=bicubic+accurate_rnd+bitexact,format=yuv420p".to_owned();
    let (reference_filter, distorted_filter) = (filter.clone(), filter);
    Comparison { size, depth: BitDepth::Eight, reference_filter, distorted_filter }
}

fn file(id: &str, path: &Path) -> DistortedOrder {
    let job = Job::new(path, RATE);
    let order = job.order(id, 0, 1);
    let (path, decode, seek) = (path.to_owned(), order.decode, job.seek(0));
    let media = DistortedMedia::File { path, decode, seek };
    DistortedOrder { id: id.to_owned(), media, comparison: comparison() }
}

fn renditions(id: &str, chunks: &[PathBuf]) -> DistortedOrder {
    let media = DistortedMedia::Renditions(chunks.to_vec());
    DistortedOrder { id: id.to_owned(), media, comparison: comparison() }
}

fn measure(
    job: &Job,
    (first, frames): (u64, u64),
    distorted: Vec<DistortedOrder>,
) -> Result<Measured, MediaError> {
    let order = job.order("reference", first, frames);
    let order = MeasureOrder {
        original: order.original,
        decode: order.decode,
        rate: order.rate,
        chunk: order.chunk,
        last: first + frames == 50,
        distorted,
        subsample: Subsample::Fifth,
        neg: true,
    };
    Libav.measure(&order, &|_: Progress| {})
}

fn qualities(measured: &Measured) -> Vec<Quality> {
    measured.distorted.iter().map(|one| Quality::of(&one.scores).unwrap()).collect()
}

#[test]
fn what_has_fewer_bits_is_worse_and_the_original_is_best() {
    let clips = Clips::new();
    let original = clips.plain();
    for crf in [20, 40] {
        clips.ffmpeg(&format!("-i plain.mp4 -c:v libx264 -crf {crf} {crf}.mp4"));
    }
    let job = Job::new(&original, RATE);
    let distorted = ["plain.mp4", "20.mp4", "40.mp4"].map(|name| file(name, &clips.path(name)));
    let measured = measure(&job, (0, 50), distorted.into()).unwrap();
    let [same, good, bad] = qualities(&measured)[..] else { panic!("{measured:?}") };
    assert_eq!((same.ssim, same.scored), (Ssim::MAX, 10));
    assert!(same.mean > good.mean && good.mean > bad.mean, "{same:?} {good:?} {bad:?}");
    assert!(same.ssim > good.ssim && good.ssim > bad.ssim);
    assert!(same.neg > good.neg && good.neg > bad.neg);
    assert!(good.worst <= good.p5 && good.p5 <= good.mean);
    let names: Vec<&str> = measured.distorted.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(names, ["plain.mp4", "20.mp4", "40.mp4"]);
    assert_eq!((measured.reference.frames, measured.reference.repeated_frames), (50, 0));
}

#[test]
fn renditions_and_the_file_made_of_them_have_the_same_scores() {
    let clips = Clips::new();
    let original = clips.plain();
    let job = Job::new(&original, RATE);
    let chunks: Vec<PathBuf> = [(0, 20), (20, 30)]
        .map(|(first, frames)| {
            let order = job.order(&format!("chunk{first}"), first, frames);
            encode(&order).unwrap();
            order.encodes[0].1.clone()
        })
        .into();
    let path = clips.path("all.mp4");
    let video = Some(VideoInput { chunks: chunks.clone(), rate: RATE });
    let (container, audio) = (FileContainer::Mp4, Vec::new());
    Libav.write_file(&FileOrder { container, video, audio, path: path.clone() }).unwrap();
    let both = vec![renditions("renditions", &chunks), file("file", &path)];
    let whole = measure(&job, (0, 50), both).unwrap();
    assert_eq!(whole.distorted[0].scores, whole.distorted[1].scores);
    assert!(Quality::of(&whole.distorted[0].scores).unwrap().ssim < Ssim::MAX);

    // A stretch by itself differs in its first frame at most, which has no motion before it.
    let part = measure(&job, (20, 30), vec![renditions("renditions", &chunks)]).unwrap();
    assert_eq!(part.distorted[0].scores[1..], whole.distorted[0].scores[5..]);
    assert_eq!(part.distorted[0].scores[0].frame, 20);
}

#[test]
fn what_goes_wrong_is_told_by_its_cause() {
    let clips = Clips::new();
    let original = clips.plain();
    let job = Job::new(&original, RATE);
    let order = job.order("chunk0", 0, 20);
    encode(&order).unwrap();
    let short = renditions("short", &[order.encodes[0].1.clone()]);
    let good = file("good", &original);
    let failed = measure(&job, (0, 50), vec![good.clone(), short]).unwrap_err().to_string();
    assert!(failed.contains("frame 20 is in none"), "{failed}");

    let mut small = good.clone();
    small.comparison.size = Size { width: 161, height: 90 };
    let failed = measure(&job, (0, 50), vec![good.clone(), small]).unwrap_err().to_string();
    assert!(failed.contains("a picture is 160x90"), "{failed}");

    std::fs::write(clips.path("plain.mp4"), b"gone").unwrap();
    let failed = measure(&job, (0, 50), vec![good]).unwrap_err().to_string();
    assert!(!failed.contains("has stopped"), "{failed}");
}

#[test]
fn a_shorter_file_holds_its_last_picture_and_says_so() {
    let clips = Clips::new();
    let original = clips.plain();
    clips.ffmpeg("-i plain.mp4 -frames:v 40 -c:v libx264 -crf 1 short.mp4");
    let job = Job::new(&original, RATE);
    let distorted = vec![file("short", &clips.path("short.mp4"))];
    let measured = measure(&job, (0, 50), distorted).unwrap();
    let short = &measured.distorted[0];
    assert_eq!((short.pictures.source_frames, short.pictures.repeated_frames), (40, 10));
    assert!(short.scores[9].vmaf < short.scores[7].vmaf, "{:?}", short.scores);
}
