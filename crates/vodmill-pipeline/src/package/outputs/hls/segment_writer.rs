//! Takes the segments of one stream from the muxer, puts them where they belong, and proves them.

use vodmill_keys::aes128;
use vodmill_model::pipeline::Container;
use vodmill_model::plan::{ChunkPlan, VideoEncode};
use vodmill_model::receipt::{Holds, PlaylistFact};
use vodmill_model::transcode::{Cut, Media, Part, Segment, SegmentOrder};
use vodmill_model::units::Ticks;
use vodmill_model::{Failed, MediaError};

use super::segments::SegmentContext;
use super::stream::StreamPlan;
use crate::file::sha256;
use crate::generation::{EntryFact, InitFact, RunFact, codec_of, range_of};
use crate::package::tree::ObjectWriter;
use crate::proof::{self, Piece};

/// What the muxer is told.
pub(super) fn order(
    context: &SegmentContext<'_>,
    plan: &StreamPlan<'_>,
) -> Result<SegmentOrder, Failed> {
    let (input, run) = (context.input, context.run);
    let hls = input.hls()?;
    let chunks = run.chunk.map(std::slice::from_ref).unwrap_or_default();
    let video = plan.video.map(|id| input.video_input(id, chunks)).transpose()?;
    let audio = plan.audio.map(|id| input.audio_input(id)).transpose()?;
    let (cut, part) = match plan.holds {
        Holds::IFrames => {
            let encode = plan.video.and_then(|id| input.plan.video_encode(id));
            (Cut::KeyFrames, Part { first: pictures_before(run.chunk, encode), ..run.part })
        }
        _ => (Cut::At(run.ends.to_vec()), run.part),
    };
    let (container, base) = (hls.container, hls.base);
    Ok(SegmentOrder { container, video, audio, base, cut, part })
}

/// Key frames before a chunk: they are forced by frame number.
fn pictures_before(chunk: Option<&ChunkPlan>, encode: Option<&VideoEncode>) -> u64 {
    let (Some(chunk), Some(encode)) = (chunk, encode) else { return 0 };
    chunk.first_frame.div_ceil(encode.gop.0.max(1).into())
}

/// The segments of one stream in one run.
pub(super) struct SegmentWriter<'a> {
    context: &'a SegmentContext<'a>,
    plan: &'a StreamPlan<'a>,
    extension: &'static str,
    fact: RunFact,
    /// The clear init segment, in front of which nothing can be inspected.
    init: Vec<u8>,
    /// Tables that stand in each picture, as a plan of 0.1.0 has it.
    inside: Vec<u8>,
    /// The single object of an I-frame playlist.
    pictures: Option<ObjectWriter<'a>>,
}

impl<'a> SegmentWriter<'a> {
    pub fn new(
        context: &'a SegmentContext<'a>,
        plan: &'a StreamPlan<'a>,
    ) -> Result<SegmentWriter<'a>, MediaError> {
        let extension = match (context.input.hls()?.container, plan.holds) {
            (Container::Ts, _) => "ts",
            (Container::Fmp4, Holds::IFrames) => "mp4",
            (Container::Fmp4, _) => "m4s",
        };
        let (name, holds) = (plan.playlist(), plan.holds);
        let playlist = PlaylistFact { name, holds, codecs: Vec::new(), size: None, range: None };
        let fact = RunFact { playlist, config: String::new(), init: None, entries: Vec::new() };
        let (init, inside) = (Vec::new(), Vec::new());
        let mut writer =
            SegmentWriter { context, plan, extension, fact, init, inside, pictures: None };
        if holds == Holds::IFrames {
            let name = format!("{}/{}", plan.prefix, writer.pictures_file());
            writer.pictures = Some(context.tree.begin(&name)?);
        }
        Ok(writer)
    }

    pub fn take(&mut self, mut segment: Segment) -> Result<(), MediaError> {
        if segment.init {
            return self.take_init(segment.bytes);
        }
        segment.bytes.splice(0..0, self.inside.iter().copied());
        if self.fact.entries.is_empty() {
            self.inspect(&segment.bytes)?;
        }
        match self.plan.holds {
            Holds::IFrames => self.take_picture(segment),
            _ => self.take_segment(segment),
        }
    }

    /// An init segment stays clear, so that it can be fetched and cached before any key. It is the
    /// same in all runs; the first one has it.
    fn take_init(&mut self, bytes: Vec<u8>) -> Result<(), MediaError> {
        let hls = self.context.input.hls()?;
        if hls.container == Container::Fmp4 {
            self.fact.config = sha256(&bytes);
        } else if !hls.iframe_map {
            self.inside = bytes;
            return Ok(());
        }
        if self.context.run.part.first == 0 {
            let file = if let Some(pictures) = &mut self.pictures {
                pictures.add(&bytes)?;
                self.pictures_file()
            } else {
                self.context.tree.write(&format!("{}/init.mp4", self.plan.prefix), &bytes)?;
                "init.mp4".to_owned()
            };
            self.fact.init = Some(InitFact { file, bytes: bytes.len() as u64 });
        }
        self.init = bytes;
        Ok(())
    }

    /// Reads codecs and size from the first segment, as a player will.
    fn inspect(&mut self, clear: &[u8]) -> Result<(), MediaError> {
        let media = [self.init.as_slice(), clear].concat();
        let inspection = self.context.proof.transcode.inspect(Media::Bytes(&media))?;
        let streams = &inspection.streams;
        self.fact.playlist.codecs = streams.iter().map(codec_of).collect::<Result<_, _>>()?;
        self.fact.playlist.size = streams.iter().find_map(|stream| stream.size);
        self.fact.playlist.range = range_of(streams)?;
        if self.fact.config.is_empty() {
            let configs: Vec<_> =
                streams.iter().flat_map(|stream| &stream.config).copied().collect();
            self.fact.config = sha256(&configs);
        }
        Ok(())
    }

    fn take_segment(&mut self, segment: Segment) -> Result<(), MediaError> {
        let (run, inside) = (self.context.run, self.fact.entries.len());
        let number = run.part.first as usize + inside;
        let file = format!("{number:06}.{}", self.extension);
        let name = format!("{}/{file}", self.plan.prefix);
        let unplanned = || Failed::new(format!("make {name}"), "it is not in the plan");
        let span = run.span(inside).ok_or_else(unplanned)?;
        let mut entry = self.entry(file, number, &segment);
        let bytes = self.seal(&mut entry, span, segment.bytes)?;
        self.context.tree.write(&name, &bytes)?;
        self.fact.entries.push(entry);
        Ok(())
    }

    /// Each picture is encrypted by itself: a range into a longer ciphertext could not be opened.
    fn take_picture(&mut self, segment: Segment) -> Result<(), MediaError> {
        let ends = &self.context.input.plan.timeline.segment_ends;
        let number = ends.partition_point(|end| *end <= segment.start);
        let mut entry =
            self.entry(self.pictures_file(), number.min(ends.len().saturating_sub(1)), &segment);
        entry.piece = self.fact.entries.len() as u64;
        let span = (segment.start, segment.start + segment.duration);
        let bytes = self.seal(&mut entry, span, segment.bytes)?;
        if let Some(pictures) = &mut self.pictures {
            entry.offset = pictures.add(&bytes)?;
        }
        self.fact.entries.push(entry);
        Ok(())
    }

    /// What there is to say of a piece within segment `number`.
    fn entry(&self, file: String, number: usize, segment: &Segment) -> EntryFact {
        let (start, duration) = (segment.start, segment.duration);
        let period = self.period(number);
        EntryFact { file, offset: 0, bytes: 0, piece: 0, period, start, duration }
    }

    /// Encrypts a piece, and proves it from the bytes that will be stored: it should be where
    /// `span` has its start and end.
    fn seal(
        &self,
        entry: &mut EntryFact,
        span: (Ticks, Ticks),
        mut bytes: Vec<u8>,
    ) -> Result<Vec<u8>, Failed> {
        let name = format!("{}/{}", self.plan.prefix, entry.file);
        let key = self.context.input.key(entry.period, &name, entry.piece)?;
        if let Some(key) = &key {
            aes128::encrypt(&key.key, &key.iv, &mut bytes);
        }
        let key = key.map(|key| (key.key, key.iv));
        let piece = Piece {
            name: &name,
            span,
            duration: entry.duration,
            init: &self.init,
            stored: &bytes,
            key,
        };
        proof::prove_piece(&self.context.proof, &self.fact.playlist, &piece)?;
        entry.bytes = bytes.len() as u64;
        Ok(bytes)
    }

    fn pictures_file(&self) -> String {
        format!("iframes-{:04}.{}", self.context.run.index, self.extension)
    }

    /// The key period of segment `number`; none in a clear package.
    fn period(&self, number: usize) -> Option<u32> {
        let hls = self.context.input.plan.hls();
        let encryption = hls.and_then(|hls| hls.encryption.as_ref())?;
        u32::try_from(number / encryption.segments_per_key.max(1) as usize).ok()
    }

    pub fn finish(self) -> Result<RunFact, MediaError> {
        self.pictures.map(ObjectWriter::finish).transpose()?;
        proof::prove_run(self.context.run, &self.fact)?;
        Ok(self.fact)
    }
}
