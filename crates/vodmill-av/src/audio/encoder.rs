//! The encoder of one track, and the count of its samples.

use std::ffi::CString;
use std::path::Path;

use ffmpeg_next::codec::{Context, Flags, Id};
use ffmpeg_next::format::{Sample, sample};
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{Packet, Rational, encoder, ffi};
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::AudioEncode;

use super::frames;
use crate::rendition::{AudioHeader, Header, PacketMeta, RenditionWriter};
use crate::{error, libav};

/// Encodes exactly the planned number of samples into a rendition.
pub(super) struct Encoder {
    encoder: encoder::Audio,
    writer: RenditionWriter,
    channels: u32,
    total: u64,
    done: u64,
    /// A silent frame in the encoder's format, to make more of.
    silent: Audio,
}

impl Encoder {
    pub(super) fn create(encode: &AudioEncode, path: &Path) -> Result<Encoder, MediaError> {
        let encoder = open(encode)?;
        let writer = RenditionWriter::create(path, &Header::Audio(header(&encoder, encode)))?;
        let silent = frames::silent_for(&encoder)
            .map_err(|cause| error::libav("allocate", "silence", cause))?;
        let (channels, total) = (encode.channels, encode.samples);
        Ok(Encoder { encoder, writer, channels, total, done: 0, silent })
    }

    /// Samples of a whole frame.
    pub(super) fn frame_samples(&self) -> usize {
        self.encoder.frame_size() as usize
    }

    /// Samples taken so far.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    /// Whether all planned samples are there.
    pub(super) fn is_full(&self) -> bool {
        self.done >= self.total
    }

    /// Takes a frame, of which only what is planned is encoded. Only the last one of the filters
    /// may be shorter than a whole frame.
    pub(super) fn encode(&mut self, frame: &mut Audio) -> Result<(), MediaError> {
        self.check(frame)?;
        let wanted = self.wanted();
        if frame.samples() < wanted {
            let mut longer = frames::lengthen(frame, wanted)
                .map_err(|cause| error::libav("allocate", "silence", cause))?;
            return self.send(&mut longer);
        }
        frame.set_samples(wanted);
        self.send(frame)
    }

    /// Adds silence up to the planned number, ends the rendition and gives that number.
    pub(super) fn finish(mut self) -> Result<u64, MediaError> {
        while !self.is_full() {
            let mut silent = frames::silence(&self.silent, self.wanted(), 0)
                .map_err(|cause| error::libav("allocate", "silence", cause))?;
            self.send(&mut silent)?;
        }
        self.encoder.send_eof().map_err(|cause| error::libav("encode", "audio", cause))?;
        self.drain()?;
        self.writer.finish()?;
        Ok(self.done)
    }

    /// Samples of the next frame.
    fn wanted(&self) -> usize {
        self.frame_samples().min((self.total - self.done) as usize)
    }

    fn send(&mut self, frame: &mut Audio) -> Result<(), MediaError> {
        frame.set_pts(Some(self.done as i64));
        self.encoder.send_frame(frame).map_err(|cause| error::libav("encode", "audio", cause))?;
        self.done += frame.samples() as u64;
        self.drain()
    }

    fn drain(&mut self) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => self.write(&packet)?,
                Err(ffmpeg_next::Error::Eof) => return Ok(()),
                Err(ffmpeg_next::Error::Other { errno: ffmpeg_next::error::EAGAIN }) => {
                    return Ok(());
                }
                Err(cause) => return Err(error::libav("encode", "audio", cause)),
            }
        }
    }

    fn write(&mut self, packet: &Packet) -> Result<(), MediaError> {
        let (Some(pts), Some(data)) = (packet.pts(), packet.data()) else {
            return Err(self.failed("a packet without time or data"));
        };
        let meta = PacketMeta { pts, dts: pts, duration: packet.duration(), key: true };
        self.writer.write(&meta, data)
    }

    fn check(&self, frame: &Audio) -> Result<(), MediaError> {
        let ours = (self.encoder.rate(), self.encoder.format(), self.channels);
        let its = (frame.rate(), frame.format(), frames::channels(frame));
        if ours == its {
            return Ok(());
        }
        Err(self.failed(&format!("the filters give {its:?}, the encoder wants {ours:?}")))
    }

    fn failed(&self, cause: &str) -> MediaError {
        error::failed("encode", "audio", cause)
    }
}

fn open(encode: &AudioEncode) -> Result<encoder::Audio, MediaError> {
    let stage = |cause| error::libav("open encoder", &encode.encoder, cause);
    let codec = encoder::find_by_name(&encode.encoder)
        .ok_or_else(|| stage(ffmpeg_next::Error::EncoderNotFound))?;
    let mut context = Context::new_with_codec(codec);
    let unknown = libav::set_options(&mut context, &encode.options).map_err(stage)?;
    if !unknown.is_empty() {
        let cause = format!("it does not know {}", unknown.join(", "));
        return Err(error::failed("open encoder", &encode.encoder, cause));
    }
    open_described(context, encode).map_err(stage)
}

fn open_described(
    context: Context,
    encode: &AudioEncode,
) -> Result<encoder::Audio, ffmpeg_next::Error> {
    let mut audio = context.encoder().audio()?;
    audio.set_rate(encode.sample_rate as i32);
    audio.set_format(sample_format(&encode.sample_format)?);
    audio.set_bit_rate(encode.bitrate.0 as usize);
    audio.set_time_base(Rational::new(1, encode.sample_rate as i32));
    // Bit-exact: no version of libav in the stream.
    audio.set_flags(Flags::GLOBAL_HEADER | Flags::BITEXACT);
    let layout =
        CString::new(encode.layout.as_str()).map_err(|_| ffmpeg_next::Error::InvalidData)?;
    // SAFETY: the context is not open yet and its layout is unset.
    let code = unsafe {
        let ours = &raw mut (*audio.as_mut_ptr()).ch_layout;
        ffi::av_channel_layout_from_string(ours, layout.as_ptr())
    };
    if code < 0 {
        return Err(ffmpeg_next::Error::from(code));
    }
    audio.open()
}

fn sample_format(name: &str) -> Result<Sample, ffmpeg_next::Error> {
    match name {
        "flt" => Ok(Sample::F32(sample::Type::Packed)),
        "fltp" => Ok(Sample::F32(sample::Type::Planar)),
        _ => Err(ffmpeg_next::Error::InvalidData),
    }
}

fn header(encoder: &encoder::Audio, encode: &AudioEncode) -> AudioHeader {
    // SAFETY: an open encoder; its extradata, if any, is as long as it says.
    let (initial_padding, extradata) = unsafe {
        let context = encoder.as_ptr();
        let (data, size) = ((*context).extradata, (*context).extradata_size.max(0) as usize);
        let extradata = if data.is_null() {
            Vec::new()
        } else {
            std::slice::from_raw_parts(data, size).to_vec()
        };
        ((*context).initial_padding.max(0) as u32, extradata)
    };
    AudioHeader {
        codec: encoder
            .codec()
            .map_or_else(|| encode.encoder.clone(), |codec| codec.id().name().to_owned()),
        sample_rate: encode.sample_rate,
        channels: encode.channels,
        initial_padding,
        extradata,
        bit_rate: if encoder.id() == Id::MP3 { encode.bitrate.0 } else { 0 },
    }
}
