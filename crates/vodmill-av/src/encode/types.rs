//! Frame types, I, P and B, that one encoder decides and others take.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};

use ffmpeg_next::Packet;
use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::ffi::AVPictureType;
use ffmpeg_next::picture::Type;
use vodmill_model::outcome::MediaError;
use vodmill_model::plan::{FrameTypes, VideoEncode};

use crate::error;

/// Where libav's statistics of an encoder have the type of the frame (`AV_PKT_DATA_QUALITY_STATS`).
const PICTURE_TYPE: usize = 4;

/// Number of a frame in its chunk, and its type.
type Told = (i64, Type);

/// What an encoder does about types beside its own work.
#[derive(Default)]
pub(super) struct TypeLinks {
    /// Whom it tells.
    tells: Vec<Sender<Told>>,
    /// By whom it is told.
    told: Option<GivenTypes>,
}

/// The types that another encoder decides. It tells them in the order of its packets.
struct GivenTypes {
    from: Receiver<Told>,
    ahead: BTreeMap<i64, Type>,
}

/// The links of each encode, in their order. Channels have no bound: what is told of a frame is small,
/// and no encoder may wait for one that waits for it.
pub(super) fn links(encodes: &[&VideoEncode]) -> Result<Vec<TypeLinks>, MediaError> {
    let mut links: Vec<TypeLinks> = encodes.iter().map(|_| TypeLinks::default()).collect();
    for (at, encode) in encodes.iter().enumerate() {
        let Some(FrameTypes { of, .. }) = &encode.types else { continue };
        let nobody = || {
            error::failed("encode", &encode.id, format!("no encode {of} decides its frame types"))
        };
        let decider = encodes.iter().position(|other| other.id == *of).ok_or_else(nobody)?;
        let (sender, from) = channel();
        links[decider].tells.push(sender);
        links[at].told = Some(GivenTypes { from, ahead: BTreeMap::new() });
    }
    Ok(links)
}

impl TypeLinks {
    /// Tells the others what became of a frame; false if the encoder does not say it.
    pub(super) fn tell(&self, number: i64, packet: &Packet) -> bool {
        if self.tells.is_empty() {
            return true;
        }
        let Some(kind) = type_of(packet) else { return false };
        for other in &self.tells {
            // One that has stopped needs nothing any more, and its own error says why.
            let _ = other.send((number, kind));
        }
        true
    }

    /// The type of a frame between key frames; the encoder's own choice if nobody else decides. None if
    /// whoever decides has stopped.
    pub(super) fn of(&mut self, number: i64) -> Option<Type> {
        match &mut self.told {
            None => Some(Type::None),
            Some(told) => told.of(number),
        }
    }
}

impl GivenTypes {
    fn of(&mut self, number: i64) -> Option<Type> {
        loop {
            if let Some(kind) = self.ahead.remove(&number) {
                return Some(kind);
            }
            let (other, kind) = self.from.recv().ok()?;
            self.ahead.insert(other, kind);
        }
    }
}

/// P or B: an I that is no key frame would begin a group where others have none.
fn type_of(packet: &Packet) -> Option<Type> {
    let statistics =
        packet.side_data().find(|data| data.kind() == side_data::Type::QualityStats)?;
    let kind = i32::from(*statistics.data().get(PICTURE_TYPE)?);
    Some(if kind == AVPictureType::AV_PICTURE_TYPE_B as i32 { Type::B } else { Type::P })
}
