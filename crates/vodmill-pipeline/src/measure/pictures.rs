//! Pictures of the worst frames, beside those of the reference.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vodmill_model::measurement::DistortedScores;
use vodmill_model::plan::{ChunkPlan, DecodePlan};
use vodmill_model::planner::{self, ShownPictures};
use vodmill_model::quality::FrameScore;
use vodmill_model::transcode::{JpegOrder, ProgressSink, StillOrder, VideoOrder};
use vodmill_model::units::Frames;
use vodmill_model::{MediaError, MediaInfo, Transcode};

use super::{Group, MeasureOptions};
use crate::Result;
use crate::child::{Assignment, Bounds};
use crate::file::failed;
use crate::settings::Settings;
use crate::standalone::run_watched;

/// A frame that scored badly.
#[derive(Clone, Debug)]
pub struct WorstFrame {
    /// Its scores.
    pub score: FrameScore,
    /// The picture of the reference as JPEG.
    pub reference: Vec<u8>,
    /// What is compared with it.
    pub distorted: Vec<u8>,
}

/// Pictures to take out of media.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PicturesOrder {
    /// Where they are taken, each with its raw stills.
    pub videos: Vec<VideoOrder>,
    /// The JPEGs that are made of these.
    pub jpegs: Vec<JpegOrder>,
}

impl PicturesOrder {
    /// The media that are read.
    pub(crate) fn files(&self) -> Vec<&Path> {
        self.videos.iter().map(|video| video.original.as_path()).collect()
    }
}

/// Takes them.
pub(crate) fn take(
    order: &PicturesOrder,
    transcode: &dyn Transcode,
    watch: &dyn ProgressSink,
) -> std::result::Result<(), MediaError> {
    for video in &order.videos {
        transcode.encode_video(video, watch)?;
    }
    order.jpegs.iter().try_for_each(|jpeg| transcode.write_jpeg(jpeg))
}

/// One side of the comparison.
struct Side<'a> {
    name: &'a str,
    path: &'a Path,
    info: &'a MediaInfo,
    decode: &'a DecodePlan,
    filter: &'a str,
}

impl Group<'_> {
    /// The worst frames of a candidate, at least a second apart.
    pub(super) fn worst_frames(
        &self,
        settings: &Settings,
        options: &MeasureOptions<'_>,
        number: usize,
        scores: &DistortedScores,
    ) -> Result<Vec<WorstFrame>> {
        let second = u64::try_from(self.plan.rate.scale(1, 1)).unwrap_or(1).max(1);
        let worst = scores.worst(options.pictures, second);
        if worst.is_empty() {
            return Ok(Vec::new());
        }
        let (candidate, plan) = (&self.candidates[number], &self.plan.distorted[number]);
        let shown = &plan.shown;
        let reference = Side {
            name: "reference",
            path: self.reference.path,
            info: &self.reference.info,
            decode: &self.plan.decode,
            filter: &shown.reference_filter,
        };
        let distorted = Side {
            name: "distorted",
            path: &candidate.path,
            info: &self.infos[number],
            decode: &plan.decode,
            filter: &shown.distorted_filter,
        };
        let mut order = PicturesOrder { videos: Vec::new(), jpegs: Vec::new() };
        for score in &worst {
            for side in [&reference, &distorted] {
                self.add(&mut order, options.scratch, side, shown, score.frame);
            }
        }
        let bytes = self.reference.info.bytes + candidate.bytes;
        let bounds = Bounds::of_measuring(bytes, 2 * self.plan.chunk.frames, &settings.limits);
        let assignment = Assignment::Pictures(Box::new(order));
        let scratch = Some(options.scratch);
        run_watched::<()>(settings, &assignment, &bounds, scratch, &mut |_| {})?;
        worst.into_iter().map(|score| read(options.scratch, score)).collect()
    }

    fn add(
        &self,
        order: &mut PicturesOrder,
        scratch: &Path,
        side: &Side<'_>,
        shown: &ShownPictures,
        frame: Frames,
    ) {
        let raw = file(scratch, side.name, frame, "raw");
        let still = StillOrder {
            frame,
            size: shown.size,
            filter: side.filter.to_owned(),
            path: raw.clone(),
        };
        order.videos.push(VideoOrder {
            original: side.path.to_owned(),
            decode: side.decode.clone(),
            rate: self.plan.rate,
            chunk: ChunkPlan {
                first_frame: frame,
                frames: 1,
                seek: planner::seek_of_frame(side.info, self.plan.rate, frame),
                ..self.plan.chunk.clone()
            },
            encodes: Vec::new(),
            deciders: Vec::new(),
            stills: vec![still],
            tolerated_damage_per_mille: None,
            cut_off: true,
            last: false,
        });
        let path = file(scratch, side.name, frame, "jpg");
        let stills = vec![raw];
        order.jpegs.push(JpegOrder { stills, size: shown.size, columns: 1, rows: 1, path });
    }
}

fn read(scratch: &Path, score: FrameScore) -> Result<WorstFrame> {
    let picture = |side: &str| {
        let path = file(scratch, side, score.frame, "jpg");
        std::fs::read(&path).map_err(failed("read", &path))
    };
    Ok(WorstFrame { score, reference: picture("reference")?, distorted: picture("distorted")? })
}

fn file(scratch: &Path, side: &str, frame: Frames, kind: &str) -> PathBuf {
    scratch.join(format!("{side}-{frame}.{kind}"))
}
