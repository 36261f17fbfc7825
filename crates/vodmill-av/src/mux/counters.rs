//! Continuity counters of a transport stream, over the seam between two parts.
//!
//! RFC 8216, 3: counters must go on from segment to segment. A muxer begins each at 0, and parts
//! are made without knowing of one another; so each part ends with all of its counters at 15. For
//! that, packets of the last segment are said in more packets than they need: at most fifteen for
//! each PID.

use std::collections::BTreeMap;

use vodmill_model::outcome::MediaError;

use crate::error;

/// Bytes of a packet (ISO/IEC 13818-1, 2.4.3.2).
pub(super) const PACKET: usize = 188;
const HEADER: usize = 4;
/// Values of a counter.
const VALUES: usize = 16;
/// Flag of a packet that begins a PES packet or a table.
const BEGINS: u8 = 0x40;

/// How many packets with payload each PID has had in this part.
#[derive(Default)]
pub(super) struct Counters(BTreeMap<u16, usize>);

impl Counters {
    /// Takes note of the packets of a segment.
    pub(super) fn count(&mut self, segment: &[u8]) {
        for packet in segment.as_chunks::<PACKET>().0 {
            if has_payload(packet) {
                *self.0.entry(pid(packet)).or_default() += 1;
            }
        }
    }

    /// The last segment, which was counted already, with all counters brought to their end.
    pub(super) fn complete(&self, segment: &[u8]) -> Result<Vec<u8>, MediaError> {
        let mut missing: BTreeMap<u16, usize> =
            self.0.iter().map(|(pid, count)| (*pid, (VALUES - count % VALUES) % VALUES)).collect();
        let packets = segment.as_chunks::<PACKET>().0;
        let mut reversed: Vec<Vec<[u8; PACKET]>> = Vec::with_capacity(packets.len());
        for packet in packets.iter().rev() {
            let wanted = missing.entry(pid(packet)).or_default();
            let copies = if has_payload(packet) { spread(packet, *wanted) } else { vec![*packet] };
            *wanted -= copies.len() - 1;
            reversed.push(copies);
        }
        if let Some((pid, short)) = missing.iter().find(|(_, short)| **short > 0) {
            let cause = format!("PID {pid} has too little in it for {short} packets more");
            return Err(error::failed("end part of", "transport stream", cause));
        }
        let mut packets: Vec<_> = reversed.into_iter().rev().flatten().collect();
        self.number(&mut packets);
        Ok(packets.concat())
    }

    /// Numbers packets anew so that each PID ends at 15.
    fn number(&self, packets: &mut [[u8; PACKET]]) {
        let mut next: BTreeMap<u16, u8> = BTreeMap::new();
        for packet in packets.iter_mut().rev() {
            let counter = next.entry(pid(packet)).or_insert(VALUES as u8 - 1);
            packet[3] = packet[3] & 0xf0 | *counter;
            if has_payload(packet) {
                *counter = counter.wrapping_sub(1) & 0x0f;
            }
        }
    }
}

pub(super) fn pid(packet: &[u8; PACKET]) -> u16 {
    u16::from_be_bytes([packet[1] & 0x1f, packet[2]])
}

fn has_payload(packet: &[u8; PACKET]) -> bool {
    packet[3] & 0x10 != 0
}

/// Where the payload begins, behind the adaptation field if there is one.
fn payload_at(packet: &[u8; PACKET]) -> usize {
    let adaptation = if packet[3] & 0x20 == 0 { 0 } else { 1 + usize::from(packet[HEADER]) };
    (HEADER + adaptation).min(PACKET)
}

/// Whether a packet begins a table, and not a PES packet.
pub(super) fn begins_table(packet: &[u8; PACKET]) -> bool {
    packet[1] & BEGINS != 0 && !packet[payload_at(packet)..].starts_with(&[0, 0, 1])
}

/// The same in up to `more` packets more; counters are left as they are.
fn spread(packet: &[u8; PACKET], more: usize) -> Vec<[u8; PACKET]> {
    let payload = &packet[payload_at(packet)..];
    let begins = packet[1] & BEGINS != 0;
    if begins_table(packet) {
        // A table is said once more, whole.
        return vec![*packet; more + 1];
    }
    // The header of a PES packet stays in one piece; its third length is in its ninth byte.
    let header = match payload.get(8) {
        Some(length) if begins => (9 + usize::from(*length)).min(payload.len()),
        _ => 1.min(payload.len()),
    };
    let more = more.min(payload.len() - header);
    let cut = payload.len() - more;
    let mut packets = vec![shortened(packet, more)];
    packets.extend(payload[cut..].iter().map(|byte| stuffed(packet, &[*byte])));
    packets
}

/// The packet without the last `less` bytes of its payload: its adaptation field is the longer.
fn shortened(packet: &[u8; PACKET], less: usize) -> [u8; PACKET] {
    if less == 0 {
        return *packet;
    }
    let at = payload_at(packet);
    let payload = &packet[at..PACKET - less];
    let mut out = stuffed(packet, payload);
    out[1] = packet[1];
    if at > HEADER + 1 {
        // Flags and clock reference stay in front of the stuffing.
        out[HEADER + 1..at].copy_from_slice(&packet[HEADER + 1..at]);
    }
    out
}

/// A packet of the same PID with this payload behind stuffing (2.4.3.5).
fn stuffed(packet: &[u8; PACKET], payload: &[u8]) -> [u8; PACKET] {
    let mut out = [0xff; PACKET];
    out[..HEADER].copy_from_slice(&packet[..HEADER]);
    out[1] &= !BEGINS;
    let length = PACKET - HEADER - payload.len();
    if length > 0 {
        out[3] |= 0x20;
        out[HEADER] = (length - 1) as u8;
    }
    if length > 1 {
        // No flags.
        out[HEADER + 1] = 0;
    }
    out[PACKET - payload.len()..].copy_from_slice(payload);
    out
}
