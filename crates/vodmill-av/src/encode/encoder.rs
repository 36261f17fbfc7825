//! One encoder: takes grid frames, writes a rendition.

use std::path::Path;
use std::ptr::addr_of;
use std::sync::mpsc::Receiver;

use ffmpeg_next::codec::{Context, Id, encoder};
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Error, Packet, ffi, picture};
use vodmill_model::media::Hdr10;
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::{ChunkPlan, VideoEncode};
use vodmill_model::transcode::{Progress, ProgressSink};
use vodmill_model::units::{Frames, Ratio};

use super::frames::{self, Shape};
use super::types::TypeLinks;
use crate::rendition::{Colours, Header, PacketMeta, RenditionWriter, VideoHeader};
use crate::{error, libav};

/// Frames from one report of progress to the next.
const REPORT_EVERY: u64 = 8;

/// What an encoder thread is to do.
pub(super) struct Work<'a> {
    pub encode: &'a VideoEncode,
    /// Where its rendition goes; none if only its frame types are wanted.
    pub path: Option<&'a Path>,
    pub rate: Ratio,
    pub chunk: &'a ChunkPlan,
    pub watch: &'a dyn ProgressSink,
}

/// Encodes every frame that comes; the number of packets is that of frames.
pub(super) fn run(
    work: &Work<'_>,
    types: TypeLinks,
    frames: Receiver<Video>,
) -> Result<Frames, MediaError> {
    let mut types = Some(types);
    let mut running = None;
    for mut frame in frames {
        frames::strip_side_data(&mut frame);
        let running = match &mut running {
            Some(running) => running,
            None => running.insert(Running::begin(work, types.take().unwrap_or_default(), &frame)?),
        };
        running.encode(frame)?;
    }
    match running {
        Some(running) => running.finish(),
        None => Ok(0),
    }
}

struct Running<'a> {
    work: &'a Work<'a>,
    codec: encoder::video::Encoder,
    shape: (i32, i32, i32),
    writer: Option<RenditionWriter>,
    types: TypeLinks,
    frames: Frames,
    packets: Frames,
}

impl<'a> Running<'a> {
    fn begin(
        work: &'a Work<'a>,
        types: TypeLinks,
        first: &Video,
    ) -> Result<Running<'a>, MediaError> {
        let shape = Shape::of(first);
        let (width, height) = (work.encode.size.width, work.encode.size.height);
        if (shape.width as u32, shape.height as u32) != (width, height) {
            let cause = format!("frames of {}x{} came", shape.width, shape.height);
            return Err(error::failed("encode", &work.encode.id, cause));
        }
        let codec = open(work.encode, work.rate, first)?;
        let header = Header::Video(VideoHeader {
            codec: codec_name(&codec),
            size: work.encode.size,
            time_base: work.rate.inverse(),
            extradata: extradata(&codec),
            colours: matches!(codec.id(), Id::HEVC | Id::VP9 | Id::AV1)
                .then(|| colours(&codec, work.encode.hdr10)),
        });
        Ok(Running {
            work,
            codec,
            shape: (shape.width, shape.height, shape.format),
            writer: work.path.map(|path| RenditionWriter::create(path, &header)).transpose()?,
            types,
            frames: 0,
            packets: 0,
        })
    }

    fn encode(&mut self, mut frame: Video) -> Result<(), MediaError> {
        let shape = Shape::of(&frame);
        if (shape.width, shape.height, shape.format) != self.shape {
            let cause = "the filter's output changes shape in mid-stream";
            return Err(error::failed("encode", &self.work.encode.id, cause));
        }
        let expected = self.work.chunk.first_frame + self.frames;
        if frame.pts() != i64::try_from(expected).ok() {
            let cause = format!("frame {:?} came, expected was {expected}", frame.pts());
            return Err(error::failed("encode", &self.work.encode.id, cause));
        }
        let key = expected.is_multiple_of(u64::from(self.work.encode.gop.0.max(1)));
        frame.set_kind(self.kind(key)?);
        frame.set_pts(Some(self.frames as i64));
        if key && self.frames > 0 && has_no_single_pictures(self.work.encode) {
            self.begin_anew(&frame)?;
        }
        self.codec.send_frame(&frame).map_err(|cause| self.error(cause))?;
        self.frames += 1;
        self.write_packets()
    }

    fn kind(&mut self, key: bool) -> Result<picture::Type, MediaError> {
        if key {
            return Ok(picture::Type::I);
        }
        let kind = self.types.of(self.frames as i64);
        let stopped = || error::failed("encode", &self.work.encode.id, "no types of frames came");
        kind.ok_or_else(stopped)
    }

    /// Ends the encoder's stream; another one goes on with `next`.
    fn begin_anew(&mut self, next: &Video) -> Result<(), MediaError> {
        self.codec.send_eof().map_err(|cause| self.error(cause))?;
        self.write_packets()?;
        self.codec = open(self.work.encode, self.work.rate, next)?;
        Ok(())
    }

    fn write_packets(&mut self) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        loop {
            match self.codec.receive_packet(&mut packet) {
                Ok(()) => self.write(&packet)?,
                Err(Error::Eof) => return Ok(()),
                Err(Error::Other { errno: ffmpeg_next::error::EAGAIN }) => return Ok(()),
                Err(cause) => return Err(self.error(cause)),
            }
        }
    }

    fn write(&mut self, packet: &Packet) -> Result<(), MediaError> {
        let (Some(pts), Some(dts), Some(data)) = (packet.pts(), packet.dts(), packet.data()) else {
            let cause = "the encoder gave a packet without times or data";
            return Err(error::failed("encode", &self.work.encode.id, cause));
        };
        if !self.types.tell(pts, packet) {
            let cause = "the encoder does not say the types of frames";
            return Err(error::failed("encode", &self.work.encode.id, cause));
        }
        let first = self.work.chunk.first_frame as i64;
        let meta =
            PacketMeta { pts: pts + first, dts: dts + first, duration: 1, key: packet.is_key() };
        self.packets += 1;
        if self.packets.is_multiple_of(REPORT_EVERY) {
            self.report();
        }
        match &mut self.writer {
            Some(writer) => writer.write(&meta, data),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> Result<Frames, MediaError> {
        self.codec.send_eof().map_err(|cause| self.error(cause))?;
        self.write_packets()?;
        self.report();
        if self.packets != self.frames {
            let cause = format!("{} frames went in, {} came out", self.frames, self.packets);
            return Err(error::failed("encode", &self.work.encode.id, cause));
        }
        if let Some(writer) = self.writer {
            writer.finish()?;
        }
        Ok(self.packets)
    }

    fn report(&self) {
        self.work.watch.progress(Progress {
            of: self.work.encode.id.clone(),
            done: self.packets,
            total: Some(self.work.chunk.frames),
        });
    }

    fn error(&self, cause: Error) -> MediaError {
        error::libav("encode", &self.work.encode.id, cause)
    }
}

/// SVT-AV1 1.4 makes no groups of one picture, whatever it is told.
fn has_no_single_pictures(encode: &VideoEncode) -> bool {
    encode.encoder == "libsvtav1" && encode.gop.0 <= 1
}

/// An encoder of frames like the first one.
pub(super) fn open(
    encode: &VideoEncode,
    rate: Ratio,
    first: &Video,
) -> Result<encoder::video::Encoder, MediaError> {
    let stage = |cause| error::libav("open encoder of", &encode.id, cause);
    let codec =
        encoder::find_by_name(&encode.encoder).ok_or_else(|| stage(Error::EncoderNotFound))?;
    let mut context = Context::new_with_codec(codec);
    let unknown = libav::set_options(&mut context, &encode.options).map_err(stage)?;
    if !unknown.is_empty() {
        let cause = format!("{} does not know {}", encode.encoder, unknown.join(", "));
        return Err(error::failed("open encoder of", &encode.id, cause));
    }
    describe(&mut context, first, rate);
    context.encoder().video().and_then(encoder::video::Video::open).map_err(stage)
}

/// Sets what the frames are. After the options, so that none of them can undo it.
fn describe(context: &mut Context, frame: &Video, rate: Ratio) {
    // SAFETY: the context is not open yet, the frame is valid.
    unsafe {
        let (context, frame) = (&mut *context.as_mut_ptr(), &*frame.as_ptr());
        context.width = frame.width;
        context.height = frame.height;
        std::ptr::addr_of_mut!(context.pix_fmt).cast::<i32>().write(frame.format);
        context.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        context.time_base = ffi::AVRational { num: rate.den as i32, den: rate.num as i32 };
        context.framerate = ffi::AVRational { num: rate.num as i32, den: rate.den as i32 };
        context.color_range = frame.color_range;
        context.color_primaries = frame.color_primaries;
        context.color_trc = frame.color_trc;
        context.colorspace = frame.colorspace;
        context.chroma_sample_location = frame.chroma_location;
        context.flags |= (ffi::AV_CODEC_FLAG_GLOBAL_HEADER | ffi::AV_CODEC_FLAG_BITEXACT) as i32;
    }
}

fn codec_name(codec: &encoder::video::Encoder) -> String {
    codec.id().name().to_owned()
}

/// What the encoder says of colours in its stream.
fn colours(codec: &encoder::video::Encoder, hdr10: Hdr10) -> Colours {
    // SAFETY: the encoder is open. Enums are read as the C integers that they are.
    unsafe {
        let context = codec.as_ptr();
        Colours {
            primaries: addr_of!((*context).color_primaries).cast::<u32>().read(),
            transfer: addr_of!((*context).color_trc).cast::<u32>().read(),
            matrix: addr_of!((*context).colorspace).cast::<u32>().read(),
            hdr10,
        }
    }
}

fn extradata(codec: &encoder::video::Encoder) -> Vec<u8> {
    // SAFETY: the encoder is open; its extradata is null or as long as it says.
    unsafe {
        let context = &*codec.as_ptr();
        if context.extradata.is_null() {
            return Vec::new();
        }
        let size = usize::try_from(context.extradata_size).unwrap_or(0);
        std::slice::from_raw_parts(context.extradata, size).to_vec()
    }
}
