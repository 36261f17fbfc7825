//! The tables of single pictures in a transport stream, apart from the pictures.
//!
//! RFC 8216, 4.3.3.6: the byte range of an I-frame must not hold its Media Initialization Section,
//! which for a transport stream is a PAT followed by a PMT (3.2). The muxer says both before each
//! picture. Each of its tables fits into one packet.

use super::counters::{PACKET, begins_table, pid};

/// PID of the service description, which players do without.
const SERVICES: u16 = 0x11;

/// The tables of one stream of pictures.
#[derive(Default)]
pub(super) struct Tables {
    /// PAT and PMT, until they are taken.
    section: Option<Vec<u8>>,
    taken: bool,
}

impl Tables {
    /// A picture without its tables; those of the first one are kept.
    pub(super) fn take_out(&mut self, picture: &[u8]) -> Vec<u8> {
        let packets = picture.as_chunks::<PACKET>().0;
        let mut rest = Vec::with_capacity(picture.len());
        let mut tables: Vec<&[u8; PACKET]> = Vec::new();
        for packet in packets {
            if !begins_table(packet) {
                rest.extend_from_slice(packet);
            } else if pid(packet) != SERVICES && tables.iter().all(|one| pid(one) != pid(packet)) {
                tables.push(packet);
            }
        }
        if !self.taken && self.section.is_none() {
            self.section = Some(tables.into_iter().flatten().copied().collect());
        }
        rest
    }

    /// PAT and PMT, once.
    pub(super) fn section(&mut self) -> Option<Vec<u8>> {
        let section = self.section.take();
        self.taken |= section.is_some();
        section
    }
}
