//! Whether anything is heard in a track: broadcasters deliver eight, of which six are silent.

use ffmpeg_next::codec::{Context, Parameters};
use ffmpeg_next::format::context::Input;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{Packet, decoder, media};

use super::names;
use crate::audio::is_heard;

/// Beyond so many samples nobody listens on, and what was not heard may yet be.
const MOST_SAMPLES: u64 = 48_000 * 3_600 * 6;

/// Decodes a track until something is heard in each channel that matters.
pub(super) struct Listener {
    decoder: decoder::Audio,
    /// By channel.
    heard: Vec<bool>,
    /// Whether each channel counts, or all are heard as soon as one is.
    apart: bool,
    samples: u64,
    /// Whether what was not heard could not be decoded.
    unsure: bool,
}

impl Listener {
    /// For a track that stands beside others, or whose channels nothing is said of.
    pub(super) fn new(input: &Input, parameters: &Parameters) -> Option<Listener> {
        let sounds =
            input.streams().filter(|stream| stream.parameters().medium() == media::Type::Audio);
        let (channels, layout) = names::channels(parameters);
        let apart = channels > 2 && layout.is_empty();
        if sounds.count() < 2 && !apart {
            return None;
        }
        let mut context = Context::from_parameters(parameters.clone()).ok()?;
        // SAFETY: the context was just made and is not open yet.
        unsafe { (*context.as_mut_ptr()).thread_count = 1 };
        let decoder = context.decoder().audio().ok()?;
        let heard = vec![false; channels as usize];
        Some(Listener { decoder, heard, apart, samples: 0, unsure: false })
    }

    /// Channels in which nothing was heard, as far as that is certain.
    pub(super) fn silent_channels(&self) -> Vec<u32> {
        if self.unsure || self.samples == 0 {
            return Vec::new();
        }
        (0_u32..).zip(&self.heard).filter(|(_, heard)| !**heard).map(|(it, _)| it).collect()
    }

    /// Takes a packet.
    pub(super) fn listen(&mut self, packet: &Packet) {
        if self.unsure || self.heard.iter().all(|heard| *heard) {
            return;
        }
        // A packet that is damaged says nothing, and will be silent.
        if self.decoder.send_packet(packet).is_err() {
            return;
        }
        let mut frame = Audio::empty();
        while self.decoder.receive_frame(&mut frame).is_ok() {
            self.hear(&frame);
        }
        self.unsure |= self.samples > MOST_SAMPLES;
    }

    fn hear(&mut self, frame: &Audio) {
        self.samples += frame.samples() as u64;
        for (channel, heard) in self.heard.iter_mut().enumerate() {
            *heard = *heard || is_heard(frame, channel);
        }
        // A track whose channels changed on the way is heard as a whole.
        let more =
            (self.heard.len()..frame.planes().max(1)).any(|channel| is_heard(frame, channel));
        if more || (!self.apart && self.heard.iter().any(|heard| *heard)) {
            self.heard.fill(true);
        }
    }
}
