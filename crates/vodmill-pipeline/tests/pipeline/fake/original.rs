//! Originals: JSON that says what a file of media would hold.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vodmill_model::media::{
    AudioTrack, Colour, FieldOrder, Gaps, Hdr10, SeekPoint, SubtitleTrack, VideoTrack,
};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::{Failed, MediaInfo, Ratio, Rejected, Size, Ticks};

/// A programme of constant rate, its tracks of equal length.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Original {
    pub title: String,
    pub frames: u64,
    pub rate: u32,
    pub size: Size,
    /// Languages of its audio tracks.
    pub audio: Vec<String>,
    /// Languages of its subtitles.
    pub subtitles: Vec<String>,
}

impl Original {
    /// Sixteen seconds with one track of sound.
    pub fn titled(title: &str) -> Original {
        Original {
            title: title.to_owned(),
            frames: 400,
            rate: 25,
            size: Size { width: 640, height: 352 },
            audio: vec!["swe".to_owned()],
            subtitles: Vec::new(),
        }
    }

    pub(super) fn read(path: &Path) -> Result<Original, MediaError> {
        let bytes = fs::read(path).map_err(|error| Failed::from_error("read original", &error))?;
        let not_media = |error| Rejected::new(Reason::NotMedia, format!("no original: {error}"));
        Ok(serde_json::from_slice(&bytes).map_err(not_media)?)
    }

    pub(super) fn media_info(&self, path: &Path) -> Result<MediaInfo, MediaError> {
        let bytes = fs::read(path).map_err(|error| Failed::from_error("read original", &error))?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let audio = (1..).zip(&self.audio).map(|(index, tag)| self.audio_track(index, tag));
        let first_text = 1 + self.audio.len() as u32;
        let subtitles = (first_text..).zip(&self.subtitles);
        Ok(MediaInfo {
            container: "fake".to_owned(),
            bytes: bytes.len() as u64,
            sha256,
            declared_duration: None,
            video: (self.frames > 0).then(|| self.video_track()).into_iter().collect(),
            audio: audio.collect(),
            subtitles: subtitles.map(|(index, tag)| subtitle_track(index, tag)).collect(),
            other: Vec::new(),
            clock_jumps: Vec::new(),
            truncated: false,
            corrupt_packets: 0,
            programmes: Vec::new(),
            clocks_disagree: false,
            photograph: None,
        })
    }

    fn video_track(&self) -> VideoTrack {
        let unknown = || "unknown".to_owned();
        let (matrix, primaries, transfer) = (unknown(), unknown(), unknown());
        VideoTrack {
            index: 0,
            codec: "rows".to_owned(),
            decodable: true,
            attached_picture: false,
            default: true,
            auxiliary: false,
            coded: self.size,
            pixel_aspect: Ratio::ONE,
            crop: None,
            rotation: 0,
            mirrored: false,
            time_base: Ratio::new(1, self.rate),
            nominal_rate: Some(Ratio::new(self.rate, 1)),
            packets: self.frames,
            pictures: Some(self.frames),
            before_first_key: 0,
            first: 0,
            last: self.frames as i64 - 1,
            last_duration: 1,
            gaps: Gaps { min: 1, median: 1, max: 1 },
            pixel_format: "yuv420p".to_owned(),
            bit_depth: 8,
            colour: Colour { matrix, primaries, transfer, full_range: false },
            hdr10: Hdr10::default(),
            dynamic_hdr: false,
            dolby_vision: None,
            projection: None,
            stereo: None,
            field_order: FieldOrder::Progressive,
            captions: false,
            size_changes: false,
            seek_points: vec![SeekPoint { pts: 0, packet: 0 }],
            seek_bytes: Vec::new(),
        }
    }

    fn audio_track(&self, index: u32, language: &str) -> AudioTrack {
        AudioTrack {
            index,
            codec: "rows".to_owned(),
            decodable: true,
            sample_rate: 48_000,
            channels: 2,
            layout: "stereo".to_owned(),
            language: Some(language.to_owned()),
            title: None,
            default: index == 1,
            first: Ticks::ZERO,
            end: Ratio::new(self.rate, 1).frame_start(self.frames),
            packets: self.frames,
            format_changes: false,
            roles: Vec::new(),
            silent_channels: Vec::new(),
            drift: Ticks::ZERO,
        }
    }
}

fn subtitle_track(index: u32, language: &str) -> SubtitleTrack {
    SubtitleTrack {
        index,
        codec: "rows".to_owned(),
        text: true,
        language: Some(language.to_owned()),
        title: None,
        default: false,
        forced: false,
        roles: Vec::new(),
    }
}
