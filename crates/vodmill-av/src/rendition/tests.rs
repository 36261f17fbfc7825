#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use super::*;

fn header() -> Header {
    Header::Video(VideoHeader {
        codec: "h264".to_owned(),
        size: Size { width: 320, height: 180 },
        time_base: Ratio::new(1001, 24000),
        extradata: vec![0, 0, 0, 1, 0x67],
        colours: None,
    })
}

/// A packet of `size` bytes at `pts`.
fn packet(pts: i64, size: usize) -> (PacketMeta, Vec<u8>) {
    let meta = PacketMeta { pts, dts: pts - 2, duration: 1, key: pts % 5 == 0 };
    (meta, vec![pts as u8; size])
}

/// A file with blocks, of packets of these sizes.
fn blocks(sizes: &[usize]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r");
    let mut writer = RenditionWriter::create(&path, &header()).unwrap();
    for (pts, size) in (0..).zip(sizes) {
        let (meta, data) = packet(pts, *size);
        writer.write(&meta, &data).unwrap();
    }
    let facts = writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((facts.packets, facts.bytes), (sizes.len() as u64, bytes.len() as u64));
    bytes
}

/// The same in the form without blocks.
fn stream(sizes: &[usize]) -> Vec<u8> {
    let packets: Vec<_> = (0..).zip(sizes).map(|(pts, size)| packet(pts, *size)).collect();
    as_stream(&header(), &packets)
}

/// Packets in the form without blocks.
pub(crate) fn as_stream(header: &Header, packets: &[(PacketMeta, Vec<u8>)]) -> Vec<u8> {
    let json = serde_json::to_vec(header).unwrap();
    let mut bytes = [&b"vodmREN1"[..], &(json.len() as u32).to_le_bytes(), &json].concat();
    for (meta, data) in packets {
        bytes.push(1);
        bytes.extend(meta.to_bytes(data.len() as u32));
        bytes.extend(data);
    }
    bytes.push(0);
    bytes.extend((packets.len() as u64).to_le_bytes());
    let mut hash = sha256();
    hash.update(&bytes);
    bytes.extend(hash.finish().as_ref());
    bytes
}

/// What is read before the end or an error, and whether there was one.
fn read(bytes: &[u8], from: i64) -> (Vec<(PacketMeta, Vec<u8>)>, bool) {
    let opened = RenditionReader::over(Cursor::new(bytes), Path::new("bytes"));
    let Ok(mut reader) = opened else { return (Vec::new(), true) };
    if reader.skip_before(&|pts| pts < from).is_err() {
        return (Vec::new(), true);
    }
    assert_eq!(reader.header(), &header());
    let (mut packets, mut data) = (Vec::new(), Vec::new());
    loop {
        match reader.next(&mut data) {
            Ok(Some(meta)) => packets.push((meta, data.clone())),
            Ok(None) => return (packets, false),
            Err(_) => return (packets, true),
        }
    }
}

#[test]
fn what_is_written_is_read_in_either_form() {
    // Nothing; one; a packet longer than a block; more blocks than a page has entries.
    let many = vec![writer::BLOCK_BYTES; 2 * index::PAGE_ENTRIES + 3];
    for sizes in [&[][..], &[0], &[10, 200_000, 0, 7], &[1_000; 500], &many] {
        let all: Vec<_> = (0..).zip(sizes).map(|(pts, size)| packet(pts, *size)).collect();
        for bytes in [blocks(sizes), stream(sizes)] {
            assert!(read(&bytes, i64::MIN) == (all.clone(), false), "{}", sizes.len());
        }
    }
}

#[test]
fn from_some_time_on_all_packets_are_read_and_few_before() {
    let sizes = vec![writer::BLOCK_BYTES / 3; 3 * (2 * index::PAGE_ENTRIES + 3)];
    let bytes = blocks(&sizes);
    let last = sizes.len() as i64 - 1;
    for from in (0..last + 9).step_by(41).chain([i64::MIN, i64::MAX, last, last + 1]) {
        let (packets, failed) = read(&bytes, from);
        let first = packets[0].0.pts;
        assert!(!failed && first <= from.max(0) && from.min(last) - first <= 3, "{from}: {first}");
        let expected: Vec<i64> = (first..=last).collect();
        assert_eq!(packets.iter().map(|one| one.0.pts).collect::<Vec<_>>(), expected);
    }
}

/// Small, but with blocks enough for the index to matter.
fn small() -> Vec<usize> {
    vec![1, 0, writer::BLOCK_BYTES, 5, writer::BLOCK_BYTES - 40, 90, 3]
}

/// All of `bytes` that are not payload of a packet, and some that are.
fn places(bytes: &[u8]) -> BTreeSet<usize> {
    let plain = |at: usize| at > 8 && bytes[at - 8..=at].iter().all(|byte| *byte == bytes[at]);
    (0..bytes.len()).filter(|&at| !plain(at) || at % 1009 == 0).collect()
}

#[test]
fn no_packet_of_what_was_altered_is_handed_out() {
    let all: Vec<_> = (0..).zip(small()).map(|(pts, size)| packet(pts, size)).collect();
    for whole in [blocks(&small()), stream(&small())] {
        for at in places(&whole) {
            for bits in [0x01, 0x80, 0x03, 0xff] {
                let mut altered = whole.clone();
                altered[at] ^= bits;
                let (packets, failed) = read(&altered, i64::MIN);
                assert!(failed, "byte {at} of {}, {bits:#x}", whole.len());
                assert!(packets[..] == all[..packets.len()], "byte {at}, {bits:#x}");
                // Behind it, or an error before the first of it.
                let (packets, failed) = read(&altered, 5);
                assert!(packets.iter().all(|one| all.contains(one)), "byte {at}, {bits:#x}");
                assert!(failed || all.ends_with(&packets) && packets.len() >= 2);
            }
        }
    }
}

#[test]
fn no_packet_of_a_torn_file_is_handed_out() {
    for whole in [blocks(&small()), stream(&small())] {
        for cut in places(&whole) {
            let (packets, failed) = read(&whole[..cut], i64::MIN);
            assert!(failed && packets.is_empty(), "cut at {cut} of {}", whole.len());
            // A piece that was never written, as after a crash of the machine.
            let mut hole = whole.clone();
            hole[cut..].iter_mut().take(4096).for_each(|byte| *byte = 0);
            let (packets, failed) = read(&hole, i64::MIN);
            assert!(hole == whole || failed && packets.len() < small().len(), "hole at {cut}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert!(read(&longer, i64::MIN) == (Vec::new(), true), "a byte too many");
        let twice = [&whole[..], &whole[..]].concat();
        assert!(read(&twice, i64::MIN) == (Vec::new(), true), "twice");
    }
}

#[test]
fn a_run_proves_its_part_and_reads_no_other() {
    let sizes = [writer::BLOCK_BYTES; 9];
    let mut bytes = blocks(&sizes);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let (packets, failed) = read(&bytes, 7);
    assert!(!failed && packets.len() == 3, "behind it");
    let (packets, failed) = read(&bytes, 0);
    assert!(failed && packets.len() == 4, "up to it");
}

#[test]
fn what_is_no_rendition_is_an_error() {
    let whole = blocks(&small());
    for bytes in [&b""[..], b"vodmREN", b"vodmREN2", b"vodmREN1\xff\xff\xff\xff", b"vodmREN3"] {
        assert!(count_packets(bytes, None).is_err());
    }
    assert_eq!(count_packets(&whole, None).unwrap(), 7);
    assert_eq!(count_packets(&whole, Some(6)).unwrap(), 2);
    // The end of another rendition.
    let other = blocks(&[1, 2, 3]);
    let mixed = [&whole[..whole.len() - 92], &other[other.len() - 92..]].concat();
    assert!(count_packets(&mixed, None).is_err());
}
