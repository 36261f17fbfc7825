//! The filters of one encode.

use ffmpeg_next::filter::{self, Graph};
use ffmpeg_next::frame::Audio;
use vodmill_model::outcome::MediaError;

use super::frames::Format;
use crate::error;

/// The planned filters, fed in one format. Frames of another one, in a file whose sound changes
/// on the way, are converted before them: rebuilding the filters would lose their place in time.
pub(super) struct Chain {
    format: Format,
    frame_samples: usize,
    planned: Pipe,
    adapter: Option<(Format, Pipe)>,
}

impl Chain {
    /// Filters that give frames of `frame_samples` each.
    pub(super) fn new(
        format: Format,
        spec: &str,
        frame_samples: usize,
    ) -> Result<Chain, MediaError> {
        let planned = Pipe::new(&format, spec)?;
        Ok(Chain { format, frame_samples, planned, adapter: None })
    }

    /// Frames in the format of the chain, made of this one.
    pub(super) fn adapt(&mut self, frame: &mut Audio) -> Result<Vec<Audio>, MediaError> {
        let format = Format::of(frame);
        let mut ready = Vec::new();
        if self.adapter.as_ref().is_some_and(|(current, _)| *current != format)
            && let Some((_, mut pipe)) = self.adapter.take()
        {
            pipe.close(None)?;
            pipe.pull_all(&mut ready)?;
        }
        if format == self.format {
            ready.push(std::mem::replace(frame, Audio::empty()));
            return Ok(ready);
        }
        let (_, pipe) = match &mut self.adapter {
            Some(adapter) => adapter,
            none => none.insert((format.clone(), Pipe::converting(&format, &self.format)?)),
        };
        pipe.push(frame)?;
        pipe.pull_all(&mut ready)?;
        Ok(ready)
    }

    pub(super) fn push(&mut self, frame: &Audio) -> Result<(), MediaError> {
        self.planned.push(frame)
    }

    /// No more frames: the last one ended at `end`.
    pub(super) fn close(&mut self, end: i64) -> Result<(), MediaError> {
        self.planned.close(Some(end))
    }

    /// Takes a frame of the encoder's size, or the shorter last one.
    pub(super) fn pull(&mut self, frame: &mut Audio) -> Result<bool, MediaError> {
        self.planned.pull(frame, Some(self.frame_samples))
    }
}

/// One libavfilter graph with one way in and one out.
struct Pipe {
    graph: Graph,
}

impl Pipe {
    fn new(format: &Format, spec: &str) -> Result<Pipe, MediaError> {
        Pipe::build(format, spec).map_err(|cause| error::libav("build audio filter", spec, cause))
    }

    fn converting(from: &Format, to: &Format) -> Result<Pipe, MediaError> {
        let Format { rate, sample, layout } = to;
        let spec =
            format!("aformat=sample_fmts={sample}:sample_rates={rate}:channel_layouts={layout}");
        Pipe::new(from, &spec)
    }

    fn build(format: &Format, spec: &str) -> Result<Pipe, ffmpeg_next::Error> {
        let find = |name| filter::find(name).ok_or(ffmpeg_next::Error::FilterNotFound);
        let Format { rate, sample, layout } = format;
        let source = format!(
            "time_base=1/{rate}:sample_rate={rate}:sample_fmt={sample}:channel_layout={layout}"
        );
        let mut graph = Graph::new();
        graph.add(&find("abuffer")?, "in", &source)?;
        graph.add(&find("abuffersink")?, "out", "")?;
        let spec = if spec.is_empty() { "anull" } else { spec };
        graph.output("in", 0)?.input("out", 0)?.parse(spec)?;
        graph.validate()?;
        Ok(Pipe { graph })
    }

    fn push(&mut self, frame: &Audio) -> Result<(), MediaError> {
        self.end("in")?.source().add(frame).map_err(|cause| error::libav("filter", "audio", cause))
    }

    fn close(&mut self, end: Option<i64>) -> Result<(), MediaError> {
        let mut input = self.end("in")?;
        let mut source = input.source();
        match end {
            Some(end) => source.close(end),
            None => source.flush(),
        }
        .map_err(|cause| error::libav("filter", "end of audio", cause))
    }

    fn pull(&mut self, frame: &mut Audio, samples: Option<usize>) -> Result<bool, MediaError> {
        let mut output = self.end("out")?;
        let result = match samples {
            Some(samples) => output.sink().samples(frame, samples),
            None => output.sink().frame(frame),
        };
        match result {
            Ok(()) => Ok(true),
            Err(ffmpeg_next::Error::Eof) => Ok(false),
            Err(ffmpeg_next::Error::Other { errno: ffmpeg_next::error::EAGAIN }) => Ok(false),
            Err(cause) => Err(error::libav("filter", "audio", cause)),
        }
    }

    fn pull_all(&mut self, ready: &mut Vec<Audio>) -> Result<(), MediaError> {
        let mut frame = Audio::empty();
        while self.pull(&mut frame, None)? {
            ready.push(std::mem::replace(&mut frame, Audio::empty()));
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<filter::Context, MediaError> {
        self.graph.get(name).ok_or_else(|| error::failed("filter", "audio", "the graph is gone"))
    }
}
