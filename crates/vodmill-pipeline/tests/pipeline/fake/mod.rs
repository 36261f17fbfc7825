//! A [`Transcode`] without libav. Originals are JSON; streams are rows of numbered packets.

mod desk;
mod encode;
mod finished;
mod original;
mod parameter_sets;
mod pry;
mod stream;

use std::path::{Path, PathBuf};

use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::plan::Build;
use vodmill_model::transcode::{
    AnalysisOrder, AudioDone, AudioOrder, Cue, Decoded, FileOrder, Inspection, JpegOrder,
    MeasureOrder, Measured, Media, ProbeOrder, ProgressSink, Segment, SegmentOrder, StreamKind,
    SubtitleOrder, Subtitles, VideoDone, VideoOrder,
};
use vodmill_model::{Analysis, Failed, MediaInfo, Rejected, Ticks, Transcode};

pub use desk::{Desk, Fault, What};
pub use original::Original;

/// The fake; its faults and its log lie on a desk.
pub struct Fake {
    desk: Desk,
    pries: bool,
}

impl Fake {
    pub fn at(desk: impl Into<PathBuf>) -> Fake {
        Fake { desk: Desk::at(desk), pries: false }
    }

    /// One that probes by trying what a codec with a hole might be made to do.
    pub fn prying() -> Fake {
        Fake { pries: true, ..Fake::at("/nowhere") }
    }

    /// What a library may do to a process that has said its last word.
    pub fn linger(&self) {
        self.desk.strike("", "end");
    }

    /// Notes that an operation has begun, and lets the fault that waits for it happen.
    fn begin(&self, title: &str, point: &str) -> Result<Option<What>, MediaError> {
        match self.desk.begin(title, point) {
            Some(What::Fail) => Err(Failed::new(point, "told to fail").into()),
            Some(What::Reject) => Err(Rejected::new(Reason::Damaged, "told to refuse").into()),
            other => Ok(other),
        }
    }
}

/// Of the fake.
pub fn build() -> Build {
    let (vodmill, libav) = (env!("CARGO_PKG_VERSION").to_owned(), "fake 1".to_owned());
    Build { vodmill, libav, ..Build::default() }
}

impl Transcode for Fake {
    fn build(&self) -> Build {
        build()
    }

    fn reach(&self, _original: &Path) -> Result<(), MediaError> {
        Ok(())
    }

    fn probe(
        &self,
        order: &ProbeOrder,
        _watch: &dyn ProgressSink,
    ) -> Result<MediaInfo, MediaError> {
        if self.pries {
            return Err(Rejected::new(Reason::Damaged, pry::pry(&order.original)).into());
        }
        let found = Original::read(&order.original)?;
        self.begin(&found.title, "probe")?;
        found.media_info(&order.original)
    }

    fn analyse(
        &self,
        order: &AnalysisOrder,
        watch: &dyn ProgressSink,
    ) -> Result<Analysis, MediaError> {
        let original = Original::read(&order.original)?;
        self.begin(&original.title, "analyse")?;
        encode::analysis(&order.plan, watch)
    }

    fn encode_video(
        &self,
        order: &VideoOrder,
        watch: &dyn ProgressSink,
    ) -> Result<VideoDone, MediaError> {
        let original = Original::read(&order.original)?;
        let point = format!("video/{}", order.chunk.index);
        let fault = self.begin(&original.title, &point)?;
        encode::video(&original.title, order, fault, watch)
    }

    fn encode_audio(
        &self,
        order: &AudioOrder,
        watch: &dyn ProgressSink,
    ) -> Result<AudioDone, MediaError> {
        let original = Original::read(&order.original)?;
        self.begin(&original.title, "audio")?;
        encode::audio(&original.title, order, watch)
    }

    fn extract_subtitles(&self, order: &SubtitleOrder) -> Result<Subtitles, MediaError> {
        let original = Original::read(&order.original)?;
        self.begin(&original.title, "subtitles")?;
        let cue = |second| Cue {
            start: Ticks::from_seconds(second),
            end: Ticks::from_seconds(second + 1),
            text: format!("{second} seconds"),
        };
        Ok(Subtitles { cues: (0..5).map(cue).collect(), ..Subtitles::default() })
    }

    fn segment(
        &self,
        order: &SegmentOrder,
        sink: &mut dyn FnMut(Segment) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        let streams = finished::inputs(order.video.as_ref(), order.audio.as_ref())?;
        let point = format!("segment/{}", order.part.first);
        let fault = self.begin(finished::title(&streams), &point)?;
        finished::segments(order, &streams, fault, sink)
    }

    fn write_file(&self, order: &FileOrder) -> Result<(), MediaError> {
        let streams =
            finished::inputs(order.video.as_ref(), order.audio.iter().map(|sound| &sound.path))?;
        let fault = self.begin(finished::title(&streams), "mp4")?;
        finished::write_file(order, &streams, fault)
    }

    fn write_jpeg(&self, order: &JpegOrder) -> Result<(), MediaError> {
        self.begin("", "jpeg")?;
        encode::jpeg(order)
    }

    fn inspect(&self, media: Media<'_>) -> Result<Inspection, MediaError> {
        finished::inspect(media)
    }

    fn decode(&self, media: Media<'_>) -> Result<Decoded, MediaError> {
        let inspection = finished::inspect(media)?;
        let packets = |kind| {
            let streams = inspection.streams.iter().filter(move |stream| stream.kind == kind);
            streams.map(|stream| stream.packets).sum::<u64>()
        };
        let samples = 1024 * packets(StreamKind::Audio);
        Ok(Decoded { frames: packets(StreamKind::Video), samples, errors: 0 })
    }

    fn measure(
        &self,
        _order: &MeasureOrder,
        _watch: &dyn ProgressSink,
    ) -> Result<Measured, MediaError> {
        Err(Failed::new("measure quality", "the fake has no pictures").into())
    }
}
