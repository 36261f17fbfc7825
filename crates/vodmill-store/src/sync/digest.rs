//! ETags of local files, as S3 computes them: the MD5 of the content, or for a multipart upload the
//! MD5 of the parts' MD5s and their number.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use md5::{Digest as _, Md5};

use crate::s3::{Checksum, etag_of_whole};

const MIB: u64 = 1 << 20;

/// Part sizes that uploaders use by default.
const USUAL_PARTS: [u64; 9] =
    [5 * MIB, 8 * MIB, 10 * MIB, 15 * MIB, 16 * MIB, 32 * MIB, 50 * MIB, 64 * MIB, 100 * MIB];

/// Bytes read at a time.
const BUFFER: usize = 256 << 10;

/// How an ETag came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Whole,
    Parts(u64),
    /// Not an MD5, as with KMS encryption: nothing can be said from the bytes.
    Opaque,
}

fn form_of(etag: &str) -> Form {
    let is_md5 = |text: &str| text.len() == 32 && text.bytes().all(|it| it.is_ascii_hexdigit());
    match etag.split_once('-') {
        None if is_md5(etag) => Form::Whole,
        Some((md5, parts)) if is_md5(md5) => parts.parse().map_or(Form::Opaque, Form::Parts),
        _ => Form::Opaque,
    }
}

/// Whether the file has the content that `etag` (without quotes) stands for. `parts` are part sizes
/// that it may have been uploaded with, beside the usual ones. A no may be wrong, a yes is not.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn has_etag(path: &Path, bytes: u64, etag: &str, parts: &[u64]) -> io::Result<bool> {
    let sizes = match form_of(etag) {
        Form::Opaque => return Ok(false),
        Form::Whole => vec![None],
        Form::Parts(count) => {
            let mut sizes: Vec<u64> = parts.iter().chain(&USUAL_PARTS).copied().collect();
            sizes.retain(|&size| size > 0 && bytes.div_ceil(size).max(1) == count);
            sizes.sort_unstable();
            sizes.dedup();
            // One part is the whole file, whatever its size was to be.
            sizes.truncate(if count == 1 { 1 } else { sizes.len() });
            sizes.into_iter().map(Some).collect()
        }
    };
    if sizes.is_empty() {
        return Ok(false);
    }
    let mut sums: Vec<Sum> = sizes.into_iter().map(Sum::new).collect();
    read(path, |bytes| sums.iter_mut().for_each(|sum| sum.update(bytes)))?;
    Ok(sums.into_iter().any(|sum| sum.finish().eq_ignore_ascii_case(etag)))
}

/// Whether the file has this checksum.
///
/// # Errors
/// If it cannot be read.
pub(super) fn has_checksum(path: &Path, wanted: Checksum) -> io::Result<bool> {
    let mut sum = wanted.of_nothing();
    read(path, |bytes| sum = sum.then(wanted.same_kind(bytes), bytes.len() as u64))?;
    Ok(sum == wanted)
}

fn read(path: &Path, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => each(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// An ETag in the making.
struct Sum {
    part: Option<u64>,
    left: u64,
    inner: Md5,
    outer: Md5,
    count: u64,
}

impl Sum {
    fn new(part: Option<u64>) -> Sum {
        let left = part.unwrap_or(u64::MAX);
        Sum { part, left, inner: Md5::new(), outer: Md5::new(), count: 0 }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left == 0 {
                self.end_part();
            }
            let take = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            let (now, later) = bytes.split_at(take);
            self.inner.update(now);
            self.left -= take as u64;
            bytes = later;
        }
    }

    fn end_part(&mut self) {
        self.outer.update(self.inner.finalize_reset());
        self.count += 1;
        self.left = self.part.unwrap_or(u64::MAX);
    }

    fn finish(mut self) -> String {
        if self.part.is_none() {
            return etag_of_whole(&self.inner.finalize().into());
        }
        self.end_part();
        format!("{}-{}", etag_of_whole(&self.outer.finalize().into()), self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("scratch");
        std::fs::write(file.path(), bytes).expect("file");
        file
    }

    fn has(bytes: &[u8], etag: &str, parts: &[u64]) -> bool {
        let file = file_of(bytes);
        has_etag(file.path(), bytes.len() as u64, etag, parts).expect("readable")
    }

    #[test]
    fn one_part_is_the_md5_of_the_content() {
        // RFC 1321, A.5.
        assert!(has(b"", "d41d8cd98f00b204e9800998ecf8427e", &[]));
        assert!(has(b"abc", "900150983cd24fb0d6963f7d28e17f72", &[]));
        assert!(has(b"abc", "900150983CD24FB0D6963F7D28E17F72", &[]));
        assert!(!has(b"abd", "900150983cd24fb0d6963f7d28e17f72", &[]));
    }

    #[test]
    fn many_parts_are_the_md5_of_their_md5s() {
        let bytes: Vec<u8> = (0..12 * MIB).map(|at| (at * 31 % 251) as u8).collect();
        let md5 = |bytes: &[u8]| -> [u8; 16] { Md5::digest(bytes).into() };
        for part in [5 * MIB, 7 * MIB] {
            let sums: Vec<u8> = bytes.chunks(part as usize).flat_map(md5).collect();
            let count = bytes.len().div_ceil(part as usize);
            let etag = format!("{}-{count}", etag_of_whole(&md5(&sums)));
            assert!(has(&bytes, &etag, &[7 * MIB]), "{part}");
            assert_eq!(has(&bytes, &etag, &[]), part == 5 * MIB, "7 MiB is not usual");
            assert!(!has(&bytes[1..], &etag, &[7 * MIB]));
        }
        let single = format!("{}-1", etag_of_whole(&md5(&md5(&bytes))));
        assert!(has(&bytes, &single, &[]));
    }

    #[test]
    fn other_etags_say_nothing() {
        for etag in ["", "abc", "d41d8cd98f00b204e9800998ecf8427e-x", "-", "no-md5-at-all"] {
            assert!(!has(b"", etag, &[]), "{etag:?}");
        }
    }
}
