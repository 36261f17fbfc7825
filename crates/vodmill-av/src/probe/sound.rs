//! What packets of sound say of themselves, where their form repeats it in each: libav's parsers
//! do not tell of a change on the way.

use ffmpeg_next::codec::Id;

/// Sample rate and channels, both in the code of their form: enough to see a change.
type Form = (u8, u8);

/// Sees whether the form of sound changes from packet to packet.
pub(super) struct FormWatch {
    read: fn(&[u8]) -> Option<Form>,
    form: Option<Form>,
    extradata: Option<Vec<u8>>,
    /// Whether it has changed.
    pub changed: bool,
}

impl FormWatch {
    /// For packets of a codec, with headers of their own unless the container has one for all.
    pub(super) fn new(codec: Id, has_extradata: bool) -> FormWatch {
        let read = match codec {
            Id::AAC if !has_extradata => adts,
            Id::MP2 | Id::MP3 => mpeg,
            Id::AC3 => ac3,
            _ => |_: &[u8]| None,
        };
        FormWatch { read, form: None, extradata: None, changed: false }
    }

    /// Takes a packet.
    pub(super) fn look(&mut self, data: &[u8]) {
        let Some(form) = (self.read)(data) else { return };
        self.changed |= self.form.is_some_and(|known| known != form);
        self.form = Some(form);
    }

    /// Takes a description that comes beside a packet, where a file has several.
    pub(super) fn new_extradata(&mut self, data: &[u8]) {
        self.changed |= self.extradata.as_deref().is_some_and(|known| known != data);
        self.extradata = Some(data.to_vec());
    }
}

/// The header of an AAC frame (ISO/IEC 14496-3, 1.A.2.2).
fn adts(data: &[u8]) -> Option<Form> {
    match data {
        [0xff, b, c, d, ..] if b & 0xf6 == 0xf0 => Some(((c >> 2) & 15, (c & 1) << 2 | d >> 6)),
        _ => None,
    }
}

/// The header of an MPEG audio frame (ISO/IEC 11172-3, 2.4.1.3). Stereo in its several ways is one.
fn mpeg(data: &[u8]) -> Option<Form> {
    match data {
        [0xff, b, c, d, ..] if b & 0xe0 == 0xe0 && (c >> 2) & 3 != 3 => {
            Some(((b & 0x18) | (c >> 2) & 3, u8::from(d >> 6 == 3)))
        }
        _ => None,
    }
}

/// The header of an AC-3 frame (ETSI TS 102 366, 4.3 and 4.4).
fn ac3(data: &[u8]) -> Option<Form> {
    match data {
        [0x0b, 0x77, _, _, rate, _, mode, ..] => Some((rate >> 6, mode >> 5)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_in_each_form() {
        let cases: [(Id, &[u8], &[u8]); 3] = [
            // 44.1 and 32 kHz, stereo.
            (Id::AAC, &[0xff, 0xf1, 0x50, 0x80, 0, 0, 0], &[0xff, 0xf1, 0x54, 0x80, 0, 0, 0]),
            // 44.1 kHz, joint stereo and mono.
            (Id::MP3, &[0xff, 0xfb, 0x90, 0x64], &[0xff, 0xfb, 0x90, 0xc4]),
            // 48 kHz, stereo and 5.1.
            (Id::AC3, &[0x0b, 0x77, 0, 0, 0x10, 0x40, 0x43], &[0x0b, 0x77, 0, 0, 0x10, 0x40, 0xe3]),
        ];
        for (codec, one, other) in cases {
            let mut watch = FormWatch::new(codec, false);
            watch.look(one);
            watch.look(one);
            watch.look(b"no header");
            assert!(!watch.changed, "{codec:?}");
            watch.look(other);
            assert!(watch.changed, "{codec:?}");
        }
    }

    #[test]
    fn joint_stereo_is_stereo() {
        let mut watch = FormWatch::new(Id::MP3, false);
        watch.look(&[0xff, 0xfb, 0x90, 0x64]);
        watch.look(&[0xff, 0xfb, 0x90, 0x04]);
        assert!(!watch.changed);
    }
}
