//! Decoding finished media whole: what a player would see.

use ffmpeg_next::codec::{Context, decoder};
use ffmpeg_next::frame::{Audio, Video};
use ffmpeg_next::{Error, Frame, Packet, Stream, ffi, media};
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{Decoded, Media};

use super::{name, open};
use crate::error;

/// Decodes every stream of `media` to its end.
pub(crate) fn decode(media: Media<'_>) -> Result<Decoded, MediaError> {
    let fault = |cause| error::libav("decode", name(media), cause);
    let mut input = open(media)?;
    let decoders: Result<Vec<_>, Error> =
        input.streams().map(|it| StreamDecoder::open(&it)).collect();
    let mut decoders = decoders.map_err(fault)?;
    let mut decoded = Decoded::default();
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(Error::Eof) => break,
            Err(cause) => return Err(fault(cause)),
        }
        if let Some(Some(decoder)) = decoders.get_mut(packet.stream()) {
            decoder.take(Some(&packet), &mut decoded);
        }
    }
    for decoder in decoders.iter_mut().flatten() {
        decoder.take(None, &mut decoded);
    }
    Ok(decoded)
}

/// The decoder of one stream.
enum StreamDecoder {
    Pictures(decoder::Video),
    Sound(decoder::Audio),
}

impl StreamDecoder {
    fn open(stream: &Stream<'_>) -> Result<Option<StreamDecoder>, Error> {
        let medium = stream.parameters().medium();
        let mut context = Context::from_parameters(stream.parameters())?;
        // SAFETY: the context was just made and is not open yet.
        unsafe {
            let context = context.as_mut_ptr();
            (*context).thread_count = 1;
            (*context).err_recognition = ffi::AV_EF_CRCCHECK | ffi::AV_EF_BITSTREAM;
            (*context).pkt_timebase.num = stream.time_base().numerator();
            (*context).pkt_timebase.den = stream.time_base().denominator();
        }
        Ok(match medium {
            media::Type::Video => Some(StreamDecoder::Pictures(context.decoder().video()?)),
            media::Type::Audio => Some(StreamDecoder::Sound(context.decoder().audio()?)),
            _ => None,
        })
    }

    /// Takes a packet, or the end.
    fn take(&mut self, packet: Option<&Packet>, decoded: &mut Decoded) {
        let sent = match (&mut *self, packet) {
            (StreamDecoder::Pictures(codec), Some(packet)) => codec.send_packet(packet),
            (StreamDecoder::Pictures(codec), None) => codec.send_eof(),
            (StreamDecoder::Sound(codec), Some(packet)) => codec.send_packet(packet),
            (StreamDecoder::Sound(codec), None) => codec.send_eof(),
        };
        decoded.errors += u64::from(sent.is_err());
        while let Some(errors) = self.give(decoded) {
            decoded.errors += errors;
        }
    }

    /// Takes one frame out and says whether it is damaged; none if there is none yet.
    fn give(&mut self, decoded: &mut Decoded) -> Option<u64> {
        let received = match self {
            StreamDecoder::Pictures(codec) => {
                let mut frame = Video::empty();
                let received = codec.receive_frame(&mut frame);
                received.map(|()| {
                    decoded.frames += 1;
                    is_damaged(&frame)
                })
            }
            StreamDecoder::Sound(codec) => {
                let mut frame = Audio::empty();
                let received = codec.receive_frame(&mut frame);
                received.map(|()| {
                    decoded.samples += frame.samples() as u64;
                    is_damaged(&frame)
                })
            }
        };
        match received {
            Ok(damaged) => Some(u64::from(damaged)),
            Err(Error::Eof | Error::Other { errno: ffmpeg_next::error::EAGAIN }) => None,
            Err(_) => Some(1),
        }
    }
}

fn is_damaged(frame: &Frame) -> bool {
    // SAFETY: the frame is valid.
    unsafe {
        let frame = &*frame.as_ptr();
        frame.decode_error_flags != 0 || frame.flags & ffi::AV_FRAME_FLAG_CORRUPT != 0
    }
}
