//! The hash of the file, and how far reading has come.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::digest::{Context, SHA256};
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::{Progress, ProgressSink};

use crate::error;
use crate::original::Original;

const READ_BYTES: usize = 1 << 20;

/// The file is read twice, side by side: by the demuxer and by the hash.
pub(super) struct Meter<'a> {
    watch: &'a dyn ProgressSink,
    bytes: u64,
    scanned: AtomicU64,
    hashed: AtomicU64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(watch: &'a dyn ProgressSink, bytes: u64) -> Meter<'a> {
        Meter { watch, bytes, scanned: AtomicU64::new(0), hashed: AtomicU64::new(0) }
    }

    /// Length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The demuxer has come to byte `position`.
    pub(super) fn scanned(&self, position: u64) {
        self.scanned.fetch_max(position.min(self.bytes), Ordering::Relaxed);
        self.report();
    }

    /// SHA-256 of the file, 64 hex digits.
    pub(super) fn hash(&self, mut original: Original, path: &Path) -> Result<String, MediaError> {
        let failed = |cause: std::io::Error| error::file("hash", path, &cause);
        let mut hash = Context::new(&SHA256);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let got = original.read(&mut buffer).map_err(failed)?;
            if got == 0 {
                return Ok(hex::encode(hash.finish()));
            }
            hash.update(&buffer[..got]);
            self.hashed.fetch_add(got as u64, Ordering::Relaxed);
            self.report();
        }
    }

    /// All is read.
    pub(super) fn finish(&self) {
        self.scanned.store(self.bytes, Ordering::Relaxed);
        self.hashed.store(self.bytes, Ordering::Relaxed);
        self.report();
    }

    fn report(&self) {
        let (scanned, hashed) =
            (self.scanned.load(Ordering::Relaxed), self.hashed.load(Ordering::Relaxed));
        self.watch.progress(Progress {
            of: "probe".to_owned(),
            done: (scanned / 2 + hashed.div_ceil(2)).min(self.bytes),
            total: Some(self.bytes),
        });
    }
}
