//! Text subtitles as cues.

mod text;

use ffmpeg_next::codec::Context;
use ffmpeg_next::codec::subtitle::{Rect, Subtitle};
use ffmpeg_next::{Packet, decoder, ffi, media};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::transcode::{Cue, SubtitleOrder};
use vodmill_model::units::Ticks;

use crate::error;
use crate::track::Track;

/// More than any programme has; beyond it the file is meant to exhaust us.
const MAX_CUES: usize = 100_000;
/// Bytes of text in all.
const MAX_TEXT: usize = 32 << 20;
/// For a cue whose end the file does not know.
const DEFAULT_LENGTH: Ticks = Ticks::from_seconds(5);

/// Extracts a text subtitle track.
pub(crate) fn extract(order: &SubtitleOrder) -> Result<Vec<Cue>, MediaError> {
    let subtitle = &order.subtitle;
    let mut track = Track::open(&order.original, subtitle.track, &subtitle.clock_jumps)?;
    let mut decoder = open_decoder(&track)?;
    let mut cues = Cues::default();
    let mut packet = Packet::empty();
    while track.read(&mut packet)? {
        let Some(pts) = packet.pts() else { continue };
        let start = Ticks::from_units(pts, track.time_base()) - order.origin;
        let length = Ticks::from_units(packet.duration().max(0), track.time_base());
        cues.add(&decode(&mut decoder, &packet), start, length)?;
    }
    Ok(cues.finish())
}

fn open_decoder(track: &Track<'_>) -> Result<decoder::Subtitle, MediaError> {
    let parameters = track.parameters(media::Type::Subtitle)?;
    let base = track.time_base();
    let open = || {
        let mut decoder = Context::from_parameters(parameters)?.decoder();
        decoder.set_packet_time_base((base.num as i32, base.den as i32));
        decoder.subtitle()
    };
    open().map_err(|cause| {
        let detail = format!("no decoder opens the subtitles ({cause})");
        error::rejected(Reason::NothingDecodable, detail)
    })
}

/// The lines of a packet; one that is damaged is left out.
fn decode(decoder: &mut decoder::Subtitle, packet: &Packet) -> Decoded {
    let mut decoded = Decoded(Subtitle::new());
    if !matches!(decoder.decode(packet, &mut decoded.0), Ok(true)) {
        return Decoded(Subtitle::new());
    }
    decoded
}

/// A subtitle of libav that frees what the decoder put into it.
struct Decoded(Subtitle);

impl Decoded {
    /// Its lines, without what libav does not hand over as text.
    fn lines(&self) -> Vec<String> {
        let line = |rect: Rect<'_>| match rect {
            Rect::Text(text) => Some(text::from_plain(text.get())),
            Rect::Ass(event) => Some(text::from_event(event.get())),
            _ => None,
        };
        self.0.rects().filter_map(line).filter(|line| !line.is_empty()).collect()
    }

    /// When it appears and goes, counted from its packet; no end where the file has none.
    fn display(&self) -> (Ticks, Option<Ticks>) {
        let ticks = |millis: u32| Ticks(i64::from(millis) * 90);
        let known = |end: u32| end != 0 && end != u32::MAX && end > self.0.start();
        let end = self.0.end();
        (ticks(self.0.start()), known(end).then(|| ticks(end)))
    }
}

impl Drop for Decoded {
    fn drop(&mut self) {
        // SAFETY: either zeroed or filled by the decoder; libav frees and zeroes it.
        unsafe { ffi::avsubtitle_free(self.0.as_mut_ptr()) };
    }
}

#[derive(Default)]
struct Cues {
    cues: Vec<Cue>,
    text: usize,
}

impl Cues {
    fn add(&mut self, decoded: &Decoded, at: Ticks, length: Ticks) -> Result<(), MediaError> {
        let lines = decoded.lines();
        if lines.is_empty() {
            return Ok(());
        }
        let (delay, until) = decoded.display();
        let start = at + delay;
        let end = match until {
            _ if length > Ticks::ZERO => at + length,
            Some(until) => at + until,
            None => start + DEFAULT_LENGTH,
        };
        if end <= start || end <= Ticks::ZERO {
            return Ok(());
        }
        let cue = Cue { start: start.max(Ticks::ZERO), end, text: lines.join("\n") };
        self.text += cue.text.len();
        self.cues.push(cue);
        if self.cues.len() > MAX_CUES || self.text > MAX_TEXT {
            let detail = format!("more than {MAX_CUES} subtitles, or {MAX_TEXT} bytes of them");
            return Err(error::rejected(Reason::Damaged, detail));
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<Cue> {
        self.cues.sort_by_key(|cue| (cue.start, cue.end));
        self.cues
    }
}
