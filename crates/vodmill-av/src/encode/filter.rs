//! A filter graph with one input that is built anew whenever the shape of its frames changes.

use std::collections::VecDeque;

use ffmpeg_next::filter::{self, Graph};
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, ffi};
use vodmill_model::outcome::MediaError;
use vodmill_model::units::Ratio;

use super::frames::Shape;
use crate::error;

/// A libavfilter graph from one input to one or more outputs.
pub(crate) struct Filter {
    chains: Vec<String>,
    time_base: Ratio,
    rate: Option<Ratio>,
    graph: Option<Built>,
    last_pts: i64,
    ready: VecDeque<(usize, Video)>,
}

struct Built {
    graph: Graph,
    shape: Shape,
    time_base: Ratio,
}

impl Filter {
    /// A graph that gives each frame to every one of `chains`.
    pub(crate) fn new(
        chains: impl IntoIterator<Item = impl Into<String>>,
        time_base: Ratio,
        rate: Option<Ratio>,
    ) -> Filter {
        Filter {
            chains: chains.into_iter().map(Into::into).collect(),
            time_base,
            rate,
            graph: None,
            last_pts: 0,
            ready: VecDeque::new(),
        }
    }

    /// Gives a frame in; what comes out is to be taken with [`Filter::take`].
    pub(crate) fn push(&mut self, frame: Video) -> Result<(), MediaError> {
        let shape = Shape::of(&frame);
        if self.graph.as_ref().is_some_and(|built| built.shape != shape) {
            self.finish()?;
        }
        let mut built = match self.graph.take() {
            Some(built) => built,
            None => Built::new(&self.chains, shape, self.time_base, self.rate)
                .map_err(|cause| self.error("build", cause))?,
        };
        self.last_pts = frame.pts().unwrap_or(self.last_pts);
        let outcome = built
            .node("in")
            .and_then(|mut node| node.source().add(&frame))
            .and_then(|()| built.drain(self.chains.len(), &mut self.ready));
        self.graph = Some(built);
        outcome.map_err(|cause| self.error("run", cause))
    }

    /// Ends the graph: what it held back comes out. The next frame builds another.
    pub(crate) fn finish(&mut self) -> Result<(), MediaError> {
        let Some(mut built) = self.graph.take() else { return Ok(()) };
        built
            .node("in")
            .and_then(|mut node| node.source().close(self.last_pts.saturating_add(1)))
            .and_then(|()| built.drain(self.chains.len(), &mut self.ready))
            .map_err(|cause| self.error("drain", cause))
    }

    /// A frame that came out and the number of its output.
    pub(crate) fn take(&mut self) -> Option<(usize, Video)> {
        self.ready.pop_front()
    }

    /// Seconds per unit of the times that come out; those that go in until a frame has.
    pub(crate) fn output_time_base(&self) -> Ratio {
        self.graph.as_ref().map_or(self.time_base, |built| built.time_base)
    }

    fn error(&self, operation: &str, cause: Error) -> MediaError {
        error::libav(operation, format!("filters {:?}", self.chains), cause)
    }
}

impl Built {
    fn new(
        chains: &[String],
        shape: Shape,
        time_base: Ratio,
        rate: Option<Ratio>,
    ) -> Result<Built, Error> {
        let mut graph = Graph::new();
        // SAFETY: the graph was just made. One thread: chunks are what runs in parallel.
        unsafe { (*graph.as_mut_ptr()).nb_threads = 1 };
        let buffer = filter::find("buffer").ok_or(Error::FilterNotFound)?;
        let sink = filter::find("buffersink").ok_or(Error::FilterNotFound)?;
        graph.add(&buffer, "in", &source_arguments(shape, time_base, rate))?;
        for n in 0..chains.len() {
            graph.add(&sink, &format!("out{n}"), "")?;
        }
        let mut parser = graph.output("in", 0)?;
        for n in 0..chains.len() {
            parser = parser.input(&format!("out{n}"), 0)?;
        }
        parser.parse(&description(chains))?;
        graph.validate()?;
        let mut built = Built { graph, shape, time_base };
        let output = built.node("out0")?.sink().time_base();
        if output.numerator() > 0 && output.denominator() > 0 {
            built.time_base = Ratio::new(output.numerator() as u32, output.denominator() as u32);
        }
        Ok(built)
    }

    fn node(&mut self, name: &str) -> Result<filter::Context, Error> {
        self.graph.get(name).ok_or(Error::FilterNotFound)
    }

    fn drain(&mut self, outputs: usize, ready: &mut VecDeque<(usize, Video)>) -> Result<(), Error> {
        for output in 0..outputs {
            let mut node = self.node(&format!("out{output}"))?;
            loop {
                let mut frame = Video::empty();
                match node.sink().frame(&mut frame) {
                    Ok(()) => ready.push_back((output, frame)),
                    Err(Error::Eof) => break,
                    Err(Error::Other { errno: ffmpeg_next::error::EAGAIN }) => break,
                    Err(cause) => return Err(cause),
                }
            }
        }
        Ok(())
    }
}

fn source_arguments(shape: Shape, time_base: Ratio, rate: Option<Ratio>) -> String {
    let mut arguments = format!(
        "video_size={}x{}:pix_fmt={}:time_base={}/{}:pixel_aspect={}/{}",
        shape.width,
        shape.height,
        shape.format,
        time_base.num,
        time_base.den,
        shape.aspect.0,
        shape.aspect.1
    );
    if let Some(rate) = rate {
        arguments.push_str(&format!(":frame_rate={}/{}", rate.num, rate.den));
    }
    // SAFETY: only returns a constant.
    let version = unsafe { ffi::avfilter_version() };
    // From 10.4 on (FFmpeg 7.1) colour is negotiated between filters, and must be named here.
    if version >= (10 << 16 | 4 << 8) {
        arguments.push_str(&format!(":colorspace={}:range={}", shape.space, shape.range));
    }
    arguments
}

fn description(chains: &[String]) -> String {
    let or_null = |chain: &str| if chain.is_empty() { "null".to_owned() } else { chain.to_owned() };
    if let [chain] = chains {
        return format!("[in]{}[out0]", or_null(chain));
    }
    let mut text = format!("[in]split={}", chains.len());
    for n in 0..chains.len() {
        text.push_str(&format!("[in{n}]"));
    }
    for (n, chain) in chains.iter().enumerate() {
        text.push_str(&format!(";[in{n}]{}[out{n}]", or_null(chain)));
    }
    text
}
