use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

/// A long original whose bytes follow from their offset.
#[derive(Default)]
struct Long {
    bytes: u64,
    fetches: Mutex<Vec<(u64, usize)>>,
    broken: AtomicBool,
    fetched: AtomicU64,
}

impl Long {
    fn new(bytes: u64) -> Arc<Long> {
        Arc::new(Long { bytes, ..Long::default() })
    }

    fn fetched(&self) -> u64 {
        self.fetched.load(Ordering::SeqCst)
    }
}

fn byte(offset: u64) -> u8 {
    (offset.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

impl ReadAt for Long {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        assert!(offset + length as u64 <= self.bytes && length > 0, "{length} at {offset}");
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the bucket is on fire"));
        }
        self.fetches.lock().expect("no panic").push((offset, length));
        self.fetched.fetch_add(length as u64, Ordering::SeqCst);
        Ok((offset..offset + length as u64).map(byte).collect())
    }
}

/// Reads as libav does, in pieces of 32 KiB, and holds every byte against what it must be.
fn read(ahead: &mut ReadAhead, from: u64, to: u64) {
    let mut at = from;
    while at < to {
        let wanted = (to - at).min(32 << 10) as usize;
        let bytes = ahead.read(at, wanted).expect("it can be read");
        assert!(!bytes.is_empty() && bytes.len() <= wanted);
        for (offset, &got) in (at..).zip(bytes) {
            assert_eq!(got, byte(offset), "at {offset}");
        }
        at += bytes.len() as u64;
        let held: usize = ahead.extents().map(|extent| extent.length).sum();
        assert!(held <= CACHE + LARGEST, "{held} bytes are held");
    }
}

const MB: u64 = 1 << 20;

#[test]
fn who_reads_all_fetches_every_byte_once() {
    let source = Long::new(20 * MB + 12_345);
    let mut ahead = ReadAhead::new(source.clone());
    read(&mut ahead, 0, source.bytes);
    assert_eq!(source.fetched(), source.bytes);
    assert!(ahead.read(source.bytes, 100).expect("the end").is_empty());
    assert!(ahead.read(u64::MAX, 100).expect("beyond").is_empty());
    let fetches = source.fetches.lock().expect("no panic").len();
    assert!(fetches < 30, "{fetches} fetches");
}

#[test]
fn a_look_costs_one_small_block() {
    let source = Long::new(1000 * MB);
    let mut ahead = ReadAhead::new(source.clone());
    for offset in [0, 999 * MB, 500 * MB, 250 * MB, 375 * MB] {
        read(&mut ahead, offset, offset + 16);
    }
    assert_eq!(source.fetched(), 5 * FIRST as u64);
}

#[test]
fn what_is_asked_for_at_once_is_fetched_at_once() {
    let source = Long::new(1000 * MB);
    let mut ahead = ReadAhead::new(source.clone());
    assert_eq!(ahead.read(5, MB as usize).expect("it can be read").len(), MB as usize);
    assert_eq!(source.fetches.lock().expect("no panic")[0], (5, MB as usize));
}

#[test]
fn a_stretch_in_the_middle_costs_little_more_than_itself() {
    let source = Long::new(4000 * MB);
    let mut ahead = ReadAhead::new(source.clone());
    read(&mut ahead, 2000 * MB, 2020 * MB);
    drop(ahead);
    let limit = 20 * MB + ((AHEAD + 1) * LARGEST) as u64;
    assert!(source.fetched() <= limit, "{} of {limit}", source.fetched());
}

#[test]
fn short_reads_far_apart_do_not_fetch_what_lies_between() {
    let source = Long::new(1000 * MB);
    let mut ahead = ReadAhead::new(source.clone());
    for piece in 0..200 {
        let at = piece * 5 * MB / 4;
        read(&mut ahead, at, at + 24_000);
    }
    assert_eq!(source.fetched(), 200 * FIRST as u64);
}

#[test]
fn short_reads_close_together_become_one_run() {
    let source = Long::new(100 * MB);
    let mut ahead = ReadAhead::new(source.clone());
    for piece in 0..500 {
        let at = piece * 60_000;
        read(&mut ahead, at, at + 10_000);
    }
    let fetches = source.fetches.lock().expect("no panic").len();
    assert!(fetches < 30, "{fetches} fetches");
}

#[test]
fn tracks_that_lie_apart_are_read_side_by_side() {
    let source = Long::new(1000 * MB);
    let mut ahead = ReadAhead::new(source.clone());
    for step in 0..40 {
        for start in [0, 300 * MB] {
            let at = start + step * MB / 4;
            read(&mut ahead, at, at + MB / 4);
        }
    }
    drop(ahead);
    let limit = 20 * MB + 2 * ((AHEAD + 1) * LARGEST) as u64;
    assert!(source.fetched() <= limit, "{} of {limit}: some were fetched twice", source.fetched());
}

#[test]
fn a_failure_is_told_and_does_not_stay() {
    let source = Long::new(100 * MB);
    let mut ahead = ReadAhead::new(source.clone());
    read(&mut ahead, 0, MB);
    source.broken.store(true, Ordering::SeqCst);
    let error = ahead.read(50 * MB, 10).expect_err("it is broken");
    assert_eq!(error.to_string(), "the bucket is on fire");
    // What was to come ahead fails too, unseen.
    while ahead.read(ahead.blocks.back().expect("one").extent.end() - 1, 2).is_ok()
        && ahead.read(ahead.blocks.back().expect("one").extent.end(), 2).is_ok()
    {}
    source.broken.store(false, Ordering::SeqCst);
    read(&mut ahead, MB, 10 * MB);
}

#[test]
fn a_source_that_gives_too_little_is_no_end() {
    struct Short;
    impl ReadAt for Short {
        fn bytes(&self) -> u64 {
            100
        }
        fn read_at(&self, _: u64, length: usize) -> io::Result<Vec<u8>> {
            Ok(vec![0; length / 2])
        }
    }
    let error = ReadAhead::new(Arc::new(Short)).read(20, 10).map(<[u8]>::len).expect_err("short");
    assert_eq!(error.to_string(), "40 bytes came of 80 from 20 on");
}
