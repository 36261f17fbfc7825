//! One track on its way from the file to the encoder's clock.

use ffmpeg_next::codec::Context;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{Packet, decoder, media};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::transcode::{AudioOrder, SoundBalance};
use vodmill_model::units::{Ratio, TICKS_PER_SECOND};

use super::frames;
use super::graph::Chain;
use super::timeline::{Place, Timeline};
use crate::error;
use crate::track::Track;

/// No sound has more samples in a second; a frame that says so is damaged.
const MOST_SAMPLES_A_SECOND: u32 = 768_000;

/// A track that is decoded, put in its place and filtered.
pub(super) struct Input<'a> {
    order: &'a AudioOrder,
    filter: &'a str,
    frame_samples: usize,
    track: Track<'a>,
    decoder: decoder::Audio,
    packet: Packet,
    time_base: Ratio,
    /// Filters and position; made for the format of the first frame.
    chain: Option<(Chain, Timeline)>,
    ended: bool,
    pub damaged_packets: u64,
}

impl<'a> Input<'a> {
    pub(super) fn open(
        order: &'a AudioOrder,
        index: u32,
        filter: &'a str,
        frame_samples: usize,
    ) -> Result<Input<'a>, MediaError> {
        let track = Track::open(&order.original, index, &order.encode.clock_jumps)?;
        let decoder = open_decoder(&track)?;
        Ok(Input {
            order,
            filter,
            frame_samples,
            time_base: track.time_base(),
            track,
            decoder,
            packet: Packet::empty(),
            chain: None,
            ended: false,
            damaged_packets: 0,
        })
    }

    /// Whether anything was decoded.
    pub(super) fn has_begun(&self) -> bool {
        self.chain.is_some()
    }

    /// What became of what was decoded.
    pub(super) fn balance(&self) -> SoundBalance {
        self.chain.as_ref().map_or_else(SoundBalance::default, |(_, timeline)| timeline.balance())
    }

    /// Takes the next frame that the filters give: of the encoder's size, or the shorter last one.
    pub(super) fn next(&mut self, frame: &mut Audio) -> Result<bool, MediaError> {
        loop {
            if let Some((chain, _)) = &mut self.chain
                && chain.pull(frame)?
            {
                return Ok(true);
            }
            if self.ended {
                return Ok(false);
            }
            self.read()?;
        }
    }

    /// Decodes a packet; after the last one, what the decoder still holds.
    fn read(&mut self) -> Result<(), MediaError> {
        if self.track.read(&mut self.packet)? {
            let sent = self.decoder.send_packet(&self.packet);
            let damaged = self.receive(sent.is_err())?;
            self.damaged_packets += u64::from(damaged);
            return Ok(());
        }
        let sent = self.decoder.send_eof();
        self.receive(sent.is_err())?;
        self.ended = true;
        match &mut self.chain {
            Some((chain, timeline)) => chain.close(timeline.expected()),
            None => Ok(()),
        }
    }

    /// Takes all frames that are ready. Whether something was damaged.
    fn receive(&mut self, mut damaged: bool) -> Result<bool, MediaError> {
        let mut frame = Audio::empty();
        loop {
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => damaged |= !self.place(&mut frame)?,
                Err(ffmpeg_next::Error::Eof) => break,
                Err(ffmpeg_next::Error::Other { errno: ffmpeg_next::error::EAGAIN }) => break,
                Err(_) if damaged => break,
                Err(_) => damaged = true,
            }
        }
        Ok(damaged)
    }

    /// Brings a frame into the format of the chain. Whether it makes sense.
    fn place(&mut self, frame: &mut Audio) -> Result<bool, MediaError> {
        if frame.samples() == 0 {
            return Ok(true);
        }
        if frame.rate() == 0 || frame.rate() > MOST_SAMPLES_A_SECOND {
            return Ok(false);
        }
        let position = self.position(frame);
        frames::prepare(frame, position);
        if self.chain.is_none() {
            let format = frames::Format::of(frame);
            let tolerance = self.time_base.scale(2, i64::from(format.rate));
            let length = Ratio::new(format.rate, self.order.encode.sample_rate)
                .scale(self.order.encode.samples as i64, 1);
            let timeline = Timeline::new(format.rate, tolerance, length);
            self.chain = Some((Chain::new(format, self.filter, self.frame_samples)?, timeline));
        }
        let Some((chain, _)) = &mut self.chain else { return Ok(true) };
        for frame in chain.adapt(frame)? {
            self.feed(frame)?;
        }
        Ok(true)
    }

    /// Time of a frame from zero, in its own samples; where the file does not say, after the one
    /// before it.
    fn position(&self, frame: &Audio) -> i64 {
        let rate = i64::from(frame.rate());
        match (frame.timestamp().or(frame.pts()), &self.chain) {
            (Some(time), _) => {
                let origin =
                    Ratio::new(1, TICKS_PER_SECOND as u32).scale(self.order.origin.0, rate);
                self.time_base.scale(time, rate).saturating_sub(origin)
            }
            (None, Some((_, timeline))) => timeline.expected_at(rate),
            (None, None) => 0,
        }
    }

    /// Puts a frame where it belongs, with silence before it if there is a gap.
    fn feed(&mut self, mut frame: Audio) -> Result<(), MediaError> {
        let Some((chain, timeline)) = &mut self.chain else { return Ok(()) };
        let place = timeline.place(frame.pts().unwrap_or_default(), frame.samples() as i64);
        let Place::At { silence, pts } = place else { return Ok(()) };
        for (start, samples) in silence {
            let silent = frames::silence(&frame, samples, start)
                .map_err(|cause| error::libav("allocate", "silence", cause))?;
            chain.push(&silent)?;
        }
        frame.set_pts(Some(pts));
        chain.push(&frame)
    }
}

fn open_decoder(track: &Track<'_>) -> Result<decoder::Audio, MediaError> {
    let parameters = track.parameters(media::Type::Audio)?;
    let base = track.time_base();
    let open = || {
        let mut decoder = Context::from_parameters(parameters)?.decoder();
        // Without it the decoder cannot trim the priming that the container declares.
        decoder.set_packet_time_base((base.num as i32, base.den as i32));
        decoder.audio()
    };
    open().map_err(|cause| {
        error::rejected(Reason::NothingDecodable, format!("no decoder opens the sound ({cause})"))
    })
}
