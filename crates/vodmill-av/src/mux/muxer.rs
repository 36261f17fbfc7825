//! A muxer of libav: packets in, bytes into memory or a file.

use std::ffi::CString;
use std::io::{self, Write};
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use ffmpeg_next::format::context::{Output, StreamIo};
use ffmpeg_next::packet::Flags;
use ffmpeg_next::{Dictionary, Rational, StreamMut, ffi, format};
use vodmill_model::media::Hdr10;
use vodmill_model::outcome::MediaError;
use vodmill_model::units::Ticks;

use super::clock::Clock;
use super::stream_reader::{AAC_FRAME, Packet, Stream};
use crate::rendition::{Colours, Header, VideoHeader};
use crate::{error, hdr10, roles};

/// Where a muxer in memory leaves its bytes.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream and the container's units for it.
pub(super) struct Input<'a> {
    pub stream: &'a Stream,
    pub timescale: u32,
}

/// Options of a muxer, of libav's generic part and of its own.
pub(super) type Options<'a> = &'a [(&'a str, &'a str)];

pub(super) struct Muxer {
    output: Output,
    buffer: Buffer,
    clocks: Vec<Clock>,
    name: &'static str,
}

impl Muxer {
    /// A muxer whose bytes are taken with [`Muxer::take`].
    pub(super) fn in_memory(
        name: &'static str,
        inputs: &[Input<'_>],
        base: Ticks,
        options: Options<'_>,
    ) -> Result<Muxer, MediaError> {
        let buffer = Buffer::default();
        let output = StreamIo::from_write(buffer.clone())
            .and_then(|io| format::output_to_stream(io, None, Some(name)))
            .map_err(|cause| error::libav("open muxer", name, cause))?;
        Muxer { output, buffer, clocks: Vec::new(), name }.begin(inputs, base, options)
    }

    /// A muxer that writes the file `path`.
    pub(super) fn to_file(
        name: &'static str,
        path: &Path,
        inputs: &[Input<'_>],
        options: Options<'_>,
    ) -> Result<Muxer, MediaError> {
        let text = path
            .to_str()
            .ok_or_else(|| error::failed("create", path.display(), "the path is not UTF-8"))?;
        // With its protocol named, nothing in a path is taken for another one.
        let output = format::output_as(&format!("file:{text}"), name)
            .map_err(|cause| error::libav("create", path.display(), cause))?;
        let muxer = Muxer { output, buffer: Buffer::default(), clocks: Vec::new(), name };
        muxer.begin(inputs, Ticks::ZERO, options)
    }

    fn begin(
        mut self,
        inputs: &[Input<'_>],
        base: Ticks,
        options: Options<'_>,
    ) -> Result<Muxer, MediaError> {
        for input in inputs {
            add_stream(&mut self.output, input)
                .map_err(|cause| error::libav("add stream to", self.name, cause))?;
            self.clocks.push(Clock::new(input.stream.unit, input.timescale, base));
        }
        let unknown = self
            .output
            .write_header_with(options.iter().copied().collect())
            .map(|left| left.iter().next().map(|(option, _)| option.to_owned()))
            .map_err(|cause| error::libav("begin", self.name, cause))?;
        if let Some(option) = unknown {
            return Err(error::failed("begin", self.name, format!("unknown option {option}")));
        }
        self.check_timescales()?;
        Ok(self)
    }

    /// A muxer may choose its own units; ours must be what it writes.
    fn check_timescales(&self) -> Result<(), MediaError> {
        for (stream, clock) in self.output.streams().zip(&self.clocks) {
            if stream.time_base() != Rational::new(1, clock.timescale as i32) {
                let cause = format!("units of {} for 1/{}", stream.time_base(), clock.timescale);
                return Err(error::failed("begin", self.name, cause));
            }
        }
        Ok(())
    }

    /// Writes a packet of stream `index`; packets must come in the order of the file.
    pub(super) fn write(&mut self, index: usize, packet: &Packet) -> Result<(), MediaError> {
        let (clock, meta) = (self.clocks[index], packet.meta);
        let (pts, dts) = (clock.at(meta.pts), clock.at(meta.dts));
        let mut out = ffmpeg_next::Packet::copy(&packet.data);
        out.set_stream(index);
        out.set_pts(Some(pts));
        out.set_dts(Some(dts));
        out.set_duration(clock.length(meta.dts, meta.duration));
        if meta.key {
            out.set_flags(Flags::KEY);
        }
        out.write(&mut self.output)
            .map(|_| ())
            .map_err(|cause| error::libav("write to", self.name, cause))
    }

    /// Ends the segment: nothing is held back by the muxer after this.
    pub(super) fn flush(&mut self) -> Result<(), MediaError> {
        // SAFETY: the context is alive and its header is written; a null packet means flush.
        let result = unsafe { ffi::av_write_frame(self.output.as_mut_ptr(), ptr::null_mut()) };
        check(result).map_err(|cause| error::libav("flush", self.name, cause))
    }

    /// Takes the bytes written so far.
    pub(super) fn take(&mut self) -> Vec<u8> {
        // SAFETY: the context and its AVIOContext live as long as `self.output`.
        unsafe { ffi::avio_flush((*self.output.as_mut_ptr()).pb) };
        std::mem::take(&mut *self.buffer.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets an option of the muxer itself while it runs.
    pub(super) fn set(&mut self, option: &str, value: &str) -> Result<(), MediaError> {
        let mut set = || {
            let option = CString::new(option).map_err(|_| ffmpeg_next::Error::InvalidData)?;
            let value = CString::new(value).map_err(|_| ffmpeg_next::Error::InvalidData)?;
            // SAFETY: priv_data of an opened muxer is an object with AVOptions; libav copies the
            // strings.
            check(unsafe {
                let private = (*self.output.as_mut_ptr()).priv_data;
                ffi::av_opt_set(private, option.as_ptr(), value.as_ptr(), 0)
            })
        };
        set().map_err(|cause| error::libav("set option of", self.name, cause))
    }

    /// Writes what comes after the last packet.
    pub(super) fn finish(mut self) -> Result<(), MediaError> {
        self.output.write_trailer().map_err(|cause| error::libav("finish", self.name, cause))
    }
}

fn check(result: i32) -> Result<(), ffmpeg_next::Error> {
    if result < 0 { Err(ffmpeg_next::Error::from(result)) } else { Ok(()) }
}

fn add_stream(output: &mut Output, input: &Input<'_>) -> Result<(), ffmpeg_next::Error> {
    let mut stream = output.add_stream(ffmpeg_next::codec::Id::None)?;
    stream.set_time_base(Rational::new(1, input.timescale as i32));
    if input.stream.is_video() {
        let unit = input.stream.unit;
        stream.set_avg_frame_rate(Rational::new(unit.den as i32, unit.num as i32));
    }
    if let Some(language) = &input.stream.language {
        let mut metadata = Dictionary::new();
        metadata.set("language", language);
        stream.set_metadata(metadata);
    }
    // SAFETY: the stream was just made and belongs to the output.
    unsafe { (*stream.as_mut_ptr()).disposition = roles::disposition(&input.stream.roles).bits() };
    // SAFETY: the stream was just made and owns its parameters, which nothing else refers to yet.
    unsafe { describe(&mut *(*stream.as_mut_ptr()).codecpar, &input.stream.header)? };
    match &input.stream.header {
        Header::Video(VideoHeader { colours: Some(colours), .. }) => {
            add_hdr10(&mut stream, colours)
        }
        _ => Ok(()),
    }
}

/// Has the muxer write `mdcv` and `clli` boxes, where there is something to say.
fn add_hdr10(stream: &mut StreamMut<'_>, colours: &Colours) -> Result<(), ffmpeg_next::Error> {
    use ffi::AVPacketSideDataType as Type;
    let Hdr10 { display, light } = &colours.hdr10;
    let display = display.as_ref().map(hdr10::display_bytes);
    let light = light.as_ref().map(hdr10::light_bytes);
    for (kind, bytes) in [
        (Type::AV_PKT_DATA_MASTERING_DISPLAY_METADATA, display),
        (Type::AV_PKT_DATA_CONTENT_LIGHT_LEVEL, light),
    ] {
        let Some(bytes) = bytes else { continue };
        // SAFETY: the stream is valid and gives room for as many bytes as asked for, or none.
        unsafe {
            let room = ffi::av_stream_new_side_data(stream.as_mut_ptr(), kind, bytes.len());
            if room.is_null() {
                return Err(ffmpeg_next::Error::Other { errno: ffi::ENOMEM });
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), room, bytes.len());
        }
    }
    Ok(())
}

/// Fills in what muxers want to know of a stream.
fn describe(par: &mut ffi::AVCodecParameters, header: &Header) -> Result<(), ffmpeg_next::Error> {
    let (codec, extradata) = match header {
        Header::Video(video) => {
            par.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            par.width = video.size.width as i32;
            par.height = video.size.height as i32;
            if let Some(colours) = &video.colours {
                set_colours(par, colours);
            }
            (&video.codec, &video.extradata)
        }
        Header::Audio(audio) => {
            par.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
            par.sample_rate = audio.sample_rate as i32;
            par.initial_padding = audio.initial_padding as i32;
            // The TS muxer spaces its clock references by it.
            par.frame_size = AAC_FRAME as i32;
            // SAFETY: the layout in zeroed parameters is unset, so nothing leaks.
            unsafe { ffi::av_channel_layout_default(&mut par.ch_layout, audio.channels as i32) };
            (&audio.codec, &audio.extradata)
        }
    };
    par.codec_id = codec_id(codec)?;
    par.codec_tag = if codec == "hevc" { u32::from_le_bytes(*b"hvc1") } else { 0 };
    set_extradata(par, extradata)
}

/// Muxers write them into `colr`.
fn set_colours(par: &mut ffi::AVCodecParameters, colours: &Colours) {
    par.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
    // SAFETY: the numbers come from the same libav's enums, through a file that was checked.
    unsafe {
        ptr::addr_of_mut!(par.color_primaries).cast::<u32>().write(colours.primaries);
        ptr::addr_of_mut!(par.color_trc).cast::<u32>().write(colours.transfer);
        ptr::addr_of_mut!(par.color_space).cast::<u32>().write(colours.matrix);
    }
}

fn codec_id(name: &str) -> Result<ffi::AVCodecID, ffmpeg_next::Error> {
    let name = CString::new(name).map_err(|_| ffmpeg_next::Error::InvalidData)?;
    // SAFETY: the descriptor, if there is one, is static.
    unsafe { ffi::avcodec_descriptor_get_by_name(name.as_ptr()).as_ref() }
        .map(|descriptor| descriptor.id)
        .ok_or(ffmpeg_next::Error::EncoderNotFound)
}

fn set_extradata(par: &mut ffi::AVCodecParameters, bytes: &[u8]) -> Result<(), ffmpeg_next::Error> {
    let room = bytes.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
    // SAFETY: libav frees the zeroed, padded allocation with the parameters; the copy fits in it.
    unsafe {
        let data = ffi::av_mallocz(room).cast::<u8>();
        if data.is_null() {
            return Err(ffmpeg_next::Error::Other { errno: ffi::ENOMEM });
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len());
        par.extradata = data;
    }
    par.extradata_size = bytes.len() as i32;
    Ok(())
}
