//! All that vodmill does with FFmpeg, in process and blocking: probe, encode a chunk, mux,
//! inspect, measure. The only crate with `unsafe`, and the only one that knows libav and libvmaf.

mod audio;
mod encode;
mod error;
mod hdr10;
mod inspect;
mod jpeg;
mod libav;
mod mux;
mod original;
mod probe;
pub mod quality;
mod rendition;
mod roles;
mod source;
mod subtitles;
mod track;

use std::path::Path;

use vodmill_model::outcome::MediaError;
use vodmill_model::plan::Build;
use vodmill_model::transcode::{
    AnalysisOrder, AudioDone, AudioOrder, Decoded, FileOrder, Inspection, JpegOrder, MeasureOrder,
    Measured, Media, ProbeOrder, ProgressSink, Segment, SegmentOrder, SubtitleOrder, Subtitles,
    Transcode, VideoDone, VideoOrder,
};
use vodmill_model::{Analysis, MediaInfo};

pub use probe::cropping;
pub use rendition::count_packets;
pub use source::{is_truncated, look};
pub use subtitles::read_texts;

/// libav in this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Libav;

impl Transcode for Libav {
    fn build(&self) -> Build {
        libav::build()
    }

    fn reach(&self, original: &Path) -> Result<(), MediaError> {
        original::reach(original)
    }

    fn probe(&self, order: &ProbeOrder, watch: &dyn ProgressSink) -> Result<MediaInfo, MediaError> {
        probe::probe(order, watch)
    }

    fn analyse(
        &self,
        order: &AnalysisOrder,
        watch: &dyn ProgressSink,
    ) -> Result<Analysis, MediaError> {
        encode::analyse(order, watch)
    }

    fn encode_video(
        &self,
        order: &VideoOrder,
        watch: &dyn ProgressSink,
    ) -> Result<VideoDone, MediaError> {
        encode::encode_video(order, watch)
    }

    fn encode_audio(
        &self,
        order: &AudioOrder,
        watch: &dyn ProgressSink,
    ) -> Result<AudioDone, MediaError> {
        audio::encode_audio(order, watch)
    }

    fn extract_subtitles(&self, order: &SubtitleOrder) -> Result<Subtitles, MediaError> {
        subtitles::extract(order)
    }

    fn segment(
        &self,
        order: &SegmentOrder,
        sink: &mut dyn FnMut(Segment) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        mux::segment(order, sink)
    }

    fn write_file(&self, order: &FileOrder) -> Result<(), MediaError> {
        mux::write_file(order)
    }

    fn write_jpeg(&self, order: &JpegOrder) -> Result<(), MediaError> {
        jpeg::write(order)
    }

    fn inspect(&self, media: Media<'_>) -> Result<Inspection, MediaError> {
        inspect::inspect(media)
    }

    fn decode(&self, media: Media<'_>) -> Result<Decoded, MediaError> {
        inspect::decode(media)
    }

    fn measure(
        &self,
        order: &MeasureOrder,
        watch: &dyn ProgressSink,
    ) -> Result<Measured, MediaError> {
        quality::measure(order, watch)
    }
}
