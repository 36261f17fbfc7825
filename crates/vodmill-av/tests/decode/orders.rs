//! Orders as the planner would give them, and what comes of them.

use std::path::{Path, PathBuf};

use vodmill_av::Libav;
use vodmill_model::media::{FieldOrder, Hdr10, MediaInfo, SeekPoint, VideoTrack};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::plan::{ChunkPlan, DecodePlan, VideoEncode};
use vodmill_model::planner::admit;
use vodmill_model::transcode::{
    ProbeOrder, Progress, StillOrder, Transcode, VideoDone, VideoOrder,
};
use vodmill_model::units::{Gop, Ratio, Size};

pub const SIZE: Size = Size { width: 96, height: 54 };

pub fn probe(path: &Path) -> Result<MediaInfo, MediaError> {
    probe_within(path, &InputPolicy::default())
}

/// Probes as a pipeline of this policy would, and refuses as the planner would.
pub fn probe_within(path: &Path, policy: &InputPolicy) -> Result<MediaInfo, MediaError> {
    let order = ProbeOrder { original: path.to_owned(), max_pixels: policy.max_pixels };
    let info = Libav.probe(&order, &|_: Progress| {})?;
    admit(&info, policy)?;
    Ok(info)
}

pub fn encode(order: &VideoOrder) -> Result<VideoDone, MediaError> {
    Libav.encode_video(order, &|_: Progress| {})
}

pub fn reason<T: std::fmt::Debug>(outcome: Result<T, MediaError>) -> Reason {
    match outcome {
        Err(MediaError::Rejected(rejected)) => rejected.reason,
        other => panic!("{other:?} is no refusal"),
    }
}

/// An original with what probing found, and a directory for what is made of it.
pub struct Job {
    pub info: MediaInfo,
    original: PathBuf,
    out: PathBuf,
    pub rate: Ratio,
}

impl Job {
    pub fn new(original: &Path, rate: Ratio) -> Job {
        let out = original.with_extension("out");
        std::fs::create_dir_all(&out).unwrap();
        let info = probe(original).unwrap();
        Job { info, original: original.to_owned(), out, rate }
    }

    pub fn track(&self) -> &VideoTrack {
        &self.info.video[0]
    }

    /// The last seek point from which the chunk can be decoded, one frame to spare.
    pub fn seek(&self, first_frame: u64) -> SeekPoint {
        let track = self.track();
        let frame = u128::from(track.time_base.den) * u128::from(self.rate.den)
            / (u128::from(track.time_base.num) * u128::from(self.rate.num));
        let start = track.first + first_frame as i64 * frame as i64 - frame as i64;
        let before = track.seek_points.iter().rfind(|point| point.pts <= start);
        *before.unwrap_or(&track.seek_points[0])
    }

    /// One encode, and a still of every frame: the pictures, exactly.
    pub fn order(&self, name: &str, first_frame: u64, frames: u64) -> VideoOrder {
        let track = self.track();
        let deinterlace = track.field_order != FieldOrder::Progressive;
        VideoOrder {
            original: self.original.clone(),
            decode: DecodePlan {
                input: 0,
                track: track.index,
                time_base: track.time_base,
                origin: track.first,
                field_filter: if deinterlace { "bwdif=mode=send_frame" } else { "" }.to_owned(),
                picture_filter: String::new(),
                max_pixels: 1 << 22,
                clock_jumps: self.info.clock_jumps.clone(),
            },
            rate: self.rate,
            chunk: ChunkPlan {
                index: 0,
                input: 0,
                first_frame,
                frames,
                seek: self.seek(first_frame),
                source_bytes: 0,
            },
            encodes: vec![(rung(), self.out.join(name))],
            deciders: Vec::new(),
            stills: (first_frame..first_frame + frames).map(|n| self.still(name, n)).collect(),
            tolerated_damage_per_mille: None,
            cut_off: false,
            last: false,
        }
    }

    fn still(&self, name: &str, frame: u64) -> StillOrder {
        StillOrder {
            frame,
            size: SIZE,
            filter: "scale=96:54,format=yuvj420p".to_owned(),
            path: self.still_path(name, frame),
        }
    }

    pub fn still_path(&self, name: &str, frame: u64) -> PathBuf {
        self.out.join(format!("{name}.{frame}"))
    }

    pub fn read_still(&self, name: &str, frame: u64) -> Vec<u8> {
        std::fs::read(self.still_path(name, frame)).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.out.join(name)
    }

    pub fn rendition(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }
}

pub fn rung() -> VideoEncode {
    let options = [("preset", "ultrafast"), ("threads", "1"), ("forced-idr", "1"), ("bf", "2")];
    VideoEncode {
        id: "v54".to_owned(),
        size: SIZE,
        filter: "scale=96:54:out_color_matrix=bt709:out_range=tv,format=yuv420p,setsar=1"
            .to_owned(),
        encoder: "libx264".to_owned(),
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        gop: Gop(10),
        types: None,
        hdr10: Hdr10::default(),
    }
}
