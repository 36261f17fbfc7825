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
    let lanes: Result<Vec<_>, Error> = input.streams().map(|it| Lane::open(&it)).collect();
    let mut lanes = lanes.map_err(fault)?;
    let mut decoded = Decoded::default();
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(Error::Eof) => break,
            Err(cause) => return Err(fault(cause)),
        }
        if let Some(Some(lane)) = lanes.get_mut(packet.stream()) {
            lane.take(Some(&packet), &mut decoded);
        }
    }
    for lane in lanes.iter_mut().flatten() {
        lane.take(None, &mut decoded);
    }
    Ok(decoded)
}

/// The decoder of one stream.
enum Lane {
    Pictures(decoder::Video),
    Sound(decoder::Audio),
}

impl Lane {
    fn open(stream: &Stream<'_>) -> Result<Option<Lane>, Error> {
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
            media::Type::Video => Some(Lane::Pictures(context.decoder().video()?)),
            media::Type::Audio => Some(Lane::Sound(context.decoder().audio()?)),
            _ => None,
        })
    }

    /// Takes a packet, or the end.
    fn take(&mut self, packet: Option<&Packet>, decoded: &mut Decoded) {
        let sent = match (&mut *self, packet) {
            (Lane::Pictures(codec), Some(packet)) => codec.send_packet(packet),
            (Lane::Pictures(codec), None) => codec.send_eof(),
            (Lane::Sound(codec), Some(packet)) => codec.send_packet(packet),
            (Lane::Sound(codec), None) => codec.send_eof(),
        };
        decoded.errors += u64::from(sent.is_err());
        while let Some(errors) = self.give(decoded) {
            decoded.errors += errors;
        }
    }

    /// Takes one frame out and says whether it is damaged; none if there is none yet.
    fn give(&mut self, decoded: &mut Decoded) -> Option<u64> {
        let received = match self {
            Lane::Pictures(codec) => {
                let mut frame = Video::empty();
                let received = codec.receive_frame(&mut frame);
                received.map(|()| {
                    decoded.frames += 1;
                    is_damaged(&frame)
                })
            }
            Lane::Sound(codec) => {
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
