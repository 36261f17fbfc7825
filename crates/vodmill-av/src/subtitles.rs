//! Text subtitles as cues.

mod charset;
mod text;

use encoding_rs::UTF_8;
use ffmpeg_next::codec::subtitle::{Rect, Subtitle};
use ffmpeg_next::codec::{Context, Id};
use ffmpeg_next::{Packet, decoder, ffi, media};
use vodmill_model::outcome::{MediaError, Reason};
use vodmill_model::transcode::{Cue, CueBalance, SubtitleOrder, Subtitles};
use vodmill_model::units::Ticks;

use crate::error;
use crate::track::Track;
use charset::Survey;

/// More than any programme has; beyond it the file is meant to exhaust us.
const MAX_CUES: usize = 100_000;
/// Packets: there may be one without text after each cue, which only clears the screen.
const MAX_PACKETS: usize = 2 * MAX_CUES;
/// Bytes of text in all.
const MAX_TEXT: usize = 32 << 20;
/// Bytes of a cue, which five times as long is still within what a segment takes.
const LONGEST_CUE: usize = 3_000;
/// For a cue whose end the file does not know.
const DEFAULT_LENGTH: Ticks = Ticks::from_seconds(5);

/// Extracts a text subtitle track.
pub(crate) fn extract(order: &SubtitleOrder) -> Result<Subtitles, MediaError> {
    let subtitle = &order.subtitle;
    let mut track = Track::open(&order.original, subtitle.track, &subtitle.clock_jumps)?;
    let mut decoder = open_decoder(&track)?;
    let packets = Packets::read(&mut track, &decoder)?;
    let mut cues = Cues::default();
    for (packet, altered) in packets.in_utf8(&mut cues.balance, track.language().as_deref()) {
        let Some(pts) = packet.pts() else {
            cues.balance.lost += 1;
            continue;
        };
        let start = Ticks::from_units(pts, track.time_base()) - order.origin;
        let length = Ticks::from_units(packet.duration().max(0), track.time_base());
        match decode(&mut decoder, &packet) {
            Some(decoded) => cues.add(&decoded, start, length, altered)?,
            None => cues.balance.lost += 1,
        }
    }
    Ok(cues.finish())
}

/// The texts of a track in the character set that they are found to be in, as cues show them.
pub fn read_texts(texts: &[&[u8]], language: Option<&str>) -> Vec<String> {
    let mut survey = Survey::default();
    texts.iter().for_each(|text| survey.look(text));
    let encoding = survey.finish(language);
    texts.iter().map(|bytes| text::from_plain(&charset::decode(bytes, encoding).0)).collect()
}

/// All packets of a track that hold text: the character set is only known when all were seen.
struct Packets {
    packets: Vec<Packet>,
    form: Form,
    survey: Survey,
}

impl Packets {
    fn read(track: &mut Track<'_>, decoder: &decoder::Subtitle) -> Result<Packets, MediaError> {
        let form = if decoder.id() == Id::MOV_TEXT { Form::Timed } else { Form::Bare };
        let mut all = Packets { packets: Vec::new(), form, survey: Survey::default() };
        let mut bytes = 0;
        let mut packet = Packet::empty();
        while track.read(&mut packet)? {
            let text = form.text(packet.data().unwrap_or_default());
            all.survey.look(text);
            bytes += packet.size();
            all.packets.push(packet.clone());
            if all.packets.len() > MAX_PACKETS || bytes > MAX_TEXT {
                return Err(too_many());
            }
        }
        Ok(all)
    }

    /// The packets with their text in UTF-8, and whether a part of it was lost in that.
    fn in_utf8(
        self,
        balance: &mut CueBalance,
        language: Option<&str>,
    ) -> impl Iterator<Item = (Packet, bool)> + use<> {
        let Packets { packets, form, survey } = self;
        let encoding = survey.finish(language);
        balance.delivered = packets.len() as u64;
        balance.charset = (encoding != UTF_8).then(|| encoding.name().to_owned());
        packets.into_iter().map(move |packet| {
            let data = packet.data().unwrap_or_default();
            if encoding == UTF_8 && std::str::from_utf8(form.text(data)).is_ok() {
                return (packet, false);
            }
            let (text, altered) = charset::decode(form.text(data), encoding);
            let mut converted = Packet::copy(&form.with_text(data, text));
            converted.set_pts(packet.pts());
            converted.set_dts(packet.dts());
            converted.set_duration(packet.duration());
            (converted, altered)
        })
    }
}

/// Where text stands in a packet.
#[derive(Clone, Copy)]
enum Form {
    /// It is the packet.
    Bare,
    /// A length of two bytes, the text, and boxes (3GPP TS 26.245, 5.17).
    Timed,
}

impl Form {
    fn text(self, packet: &[u8]) -> &[u8] {
        match (self, packet) {
            (Form::Timed, [high, low, rest @ ..]) => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                &rest[..length.min(rest.len())]
            }
            _ => packet,
        }
    }

    fn with_text(self, packet: &[u8], mut text: String) -> Vec<u8> {
        let Form::Timed = self else { return text.into_bytes() };
        text.truncate(text.floor_char_boundary(usize::from(u16::MAX)));
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
        let boxes = packet.get(2 + self.text(packet).len()..).unwrap_or_default();
        [&length[..], text.as_bytes(), boxes].concat()
    }
}

fn too_many() -> MediaError {
    let detail = format!("more than {MAX_CUES} subtitles, or {MAX_TEXT} bytes of them");
    error::rejected(Reason::Damaged, detail)
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

/// What a packet shows, which may be nothing; none where it is damaged.
fn decode(decoder: &mut decoder::Subtitle, packet: &Packet) -> Option<Decoded> {
    let mut decoded = Decoded(Subtitle::new());
    decoder.decode(packet, &mut decoded.0).is_ok().then_some(decoded)
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
    balance: CueBalance,
}

impl Cues {
    fn add(
        &mut self,
        decoded: &Decoded,
        at: Ticks,
        length: Ticks,
        altered: bool,
    ) -> Result<(), MediaError> {
        let lines = decoded.lines();
        if lines.is_empty() {
            self.balance.empty += 1;
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
            self.balance.outside += 1;
            return Ok(());
        }
        let mut text = lines.join("\n");
        let too_long = text.len() > LONGEST_CUE;
        text.truncate(text.floor_char_boundary(LONGEST_CUE));
        self.balance.altered += u64::from(altered || too_long);
        self.text += text.len();
        self.cues.push(Cue { start: start.max(Ticks::ZERO), end, text });
        if self.cues.len() > MAX_CUES || self.text > MAX_TEXT {
            return Err(too_many());
        }
        Ok(())
    }

    fn finish(mut self) -> Subtitles {
        self.cues.sort_by_key(|cue| (cue.start, cue.end));
        Subtitles { cues: self.cues, balance: self.balance }
    }
}
