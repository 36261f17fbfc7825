//! Audio: one track, decoded and encoded whole.

mod encoder;
mod frames;
mod graph;
mod timeline;

use ffmpeg_next::codec::Context;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::{Packet, decoder, media};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::transcode::{AudioDone, AudioOrder, Progress, Watch};
use vodmill_model::units::{Ratio, TICKS_PER_SECOND};

use crate::error;
use crate::track::Track;
use encoder::Encoder;
use graph::Chain;
use timeline::{Place, Timeline};

/// Decodes one audio track, filters it and encodes exactly the planned number of samples.
pub(crate) fn encode_audio(order: &AudioOrder, watch: &dyn Watch) -> Result<AudioDone, MediaError> {
    let encode = &order.encode;
    let mut track = Track::open(&order.original, encode.track, &encode.clock_jumps)?;
    let mut decoder = open_decoder(&track)?;
    let mut work = Work {
        order,
        watch,
        time_base: track.time_base(),
        chain: None,
        encoder: Encoder::create(encode, &order.path)?,
        damaged_packets: 0,
    };
    let mut packet = Packet::empty();
    while !work.encoder.is_full() && track.read(&mut packet)? {
        work.decode(&mut decoder, Some(&packet))?;
    }
    work.decode(&mut decoder, None)?;
    work.finish()
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

/// An encode on its way.
struct Work<'a> {
    order: &'a AudioOrder,
    watch: &'a dyn Watch,
    time_base: Ratio,
    /// Filters and position; made for the format of the first frame.
    chain: Option<(Chain, Timeline)>,
    encoder: Encoder,
    damaged_packets: u64,
}

impl Work<'_> {
    /// Decodes a packet, or what the decoder still holds.
    fn decode(
        &mut self,
        decoder: &mut decoder::Audio,
        packet: Option<&Packet>,
    ) -> Result<(), MediaError> {
        let sent = match packet {
            Some(packet) => decoder.send_packet(packet),
            None => decoder.send_eof(),
        };
        let mut damaged = sent.is_err();
        let mut frame = Audio::empty();
        loop {
            match decoder.receive_frame(&mut frame) {
                Ok(()) => self.place(&mut frame)?,
                Err(ffmpeg_next::Error::Eof) => break,
                Err(ffmpeg_next::Error::Other { errno: ffmpeg_next::error::EAGAIN }) => break,
                Err(_) if damaged => break,
                Err(_) => damaged = true,
            }
        }
        self.damaged_packets += u64::from(damaged && packet.is_some());
        Ok(())
    }

    /// Brings a frame into the format of the chain.
    fn place(&mut self, frame: &mut Audio) -> Result<(), MediaError> {
        if frame.samples() == 0 || frame.rate() == 0 {
            return Ok(());
        }
        let position = self.position(frame);
        frames::prepare(frame, position);
        if self.chain.is_none() {
            let format = frames::Format::of(frame);
            let tolerance = self.time_base.scale(2, i64::from(format.rate));
            let length = Ratio::new(format.rate, self.order.encode.sample_rate)
                .scale(self.order.encode.samples as i64, 1);
            let timeline = Timeline::new(format.rate, tolerance, length);
            self.chain = Some((Chain::new(format, &self.order.encode.filter)?, timeline));
        }
        let Some((chain, _)) = &mut self.chain else { return Ok(()) };
        for frame in chain.adapt(frame)? {
            self.feed(frame)?;
        }
        Ok(())
    }

    /// Time of a frame from zero, in its own samples; where the file does not say, after the one
    /// before it.
    fn position(&self, frame: &Audio) -> i64 {
        let rate = i64::from(frame.rate());
        match (frame.timestamp().or(frame.pts()), &self.chain) {
            (Some(time), _) => {
                let origin =
                    Ratio::new(1, TICKS_PER_SECOND as u32).scale(self.order.origin.0, rate);
                self.time_base.scale(time, rate) - origin
            }
            (None, Some((_, timeline))) => timeline.expected_at(rate),
            (None, None) => 0,
        }
    }

    /// Puts a frame where it belongs, with silence before it if there is a gap.
    fn feed(&mut self, mut frame: Audio) -> Result<(), MediaError> {
        let Some((_, timeline)) = &mut self.chain else { return Ok(()) };
        let place = timeline.place(frame.pts().unwrap_or_default(), frame.samples() as i64);
        let Place::At { silence, pts } = place else { return Ok(()) };
        for (start, samples) in silence {
            let silent = frames::silence(&frame, samples, start)
                .map_err(|cause| error::libav("allocate", "silence", cause))?;
            self.filter(silent)?;
        }
        frame.set_pts(Some(pts));
        self.filter(frame)
    }

    fn filter(&mut self, frame: Audio) -> Result<(), MediaError> {
        let Some((chain, _)) = &mut self.chain else { return Ok(()) };
        chain.push(&frame)?;
        self.drain()
    }

    /// Encodes what the filters have ready.
    fn drain(&mut self) -> Result<(), MediaError> {
        let Some((chain, _)) = &mut self.chain else { return Ok(()) };
        let mut frame = Audio::empty();
        while !self.encoder.is_full() && chain.pull(&mut frame)? {
            self.encoder.encode(&mut frame)?;
        }
        self.watch.progress(Progress {
            of: self.order.encode.id.clone(),
            done: self.encoder.done(),
            total: Some(self.order.encode.samples),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<AudioDone, MediaError> {
        let Some((chain, timeline)) = &mut self.chain else {
            let detail = format!("no sound in track {} can be decoded", self.order.encode.track);
            return Err(error::rejected(Reason::NothingDecodable, detail));
        };
        chain.close(timeline.expected())?;
        self.drain()?;
        let samples = self.encoder.finish()?;
        Ok(AudioDone { samples, damaged_packets: self.damaged_packets })
    }
}
