//! An encrypted object with other keys: in its file, piece by piece, so that memory holds one piece
//! however large the object is.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use vodmill_keys::{Iv, SegmentKey, aes128};
use vodmill_model::Failed;

use super::playlist::Piece;
use crate::file::{failed, sha256};

/// Decrypts every piece of a file and encrypts it anew in its place; what lies between them is clear
/// and stays. Then every new key is tried on what the file holds: it has to open what was there
/// before.
pub(super) fn anew(name: &str, path: &Path, pieces: &[Piece]) -> Result<(), Failed> {
    let file = File::options().read(true).write(true).open(path).map_err(failed("open", path))?;
    let bytes = file.metadata().map_err(failed("look at", path))?.len();
    let mut clear = Vec::new();
    for piece in pieces {
        let range = range_of(name, bytes, piece)?;
        let mut held = open(name, path, &file, &range, &piece.from)?;
        clear.push(sha256(&held));
        aes128::encrypt(&piece.to.0, &piece.to.1, &mut held);
        // Padding depends on the length alone.
        if held.len() as u64 != range.end - range.start {
            return Err(Failed::new(format!("encrypt {name}"), "a piece has another length"));
        }
        file.write_all_at(&held, range.start).map_err(failed("write", path))?;
    }
    for (piece, clear) in pieces.iter().zip(&clear) {
        let range = range_of(name, bytes, piece)?;
        if sha256(&open(name, path, &file, &range, &piece.to)?) != *clear {
            return Err(Failed::new(format!("prove {name}"), "its new key opens something else"));
        }
    }
    Ok(())
}

/// The clear bytes of a piece.
fn open(
    name: &str,
    path: &Path,
    file: &File,
    range: &Range<u64>,
    (key, iv): &(SegmentKey, Iv),
) -> Result<Vec<u8>, Failed> {
    let length = usize::try_from(range.end - range.start);
    let length = length.map_err(|error| Failed::from_error(format!("read {name}"), &error))?;
    let mut held = vec![0; length];
    file.read_exact_at(&mut held, range.start).map_err(failed("read", path))?;
    aes128::decrypt(key, iv, &mut held)
        .map_err(|error| Failed::from_error(format!("decrypt {name}"), &error))?;
    Ok(held)
}

fn range_of(name: &str, bytes: u64, piece: &Piece) -> Result<Range<u64>, Failed> {
    let length = piece.length.unwrap_or(bytes.saturating_sub(piece.offset));
    let end = piece.offset.saturating_add(length);
    match end <= bytes {
        true => Ok(piece.offset..end),
        false => Err(Failed::new(format!("read {name}"), "a piece reaches beyond its end")),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::fs;

    use super::*;

    fn key(byte: u8) -> (SegmentKey, Iv) {
        (SegmentKey::from_bytes([byte; 16]), Iv::from_bytes([byte; 16]))
    }

    fn seal((key, iv): &(SegmentKey, Iv), clear: &[u8]) -> Vec<u8> {
        let mut bytes = clear.to_vec();
        aes128::encrypt(key, iv, &mut bytes);
        bytes
    }

    #[test]
    fn pieces_get_other_keys_and_what_is_between_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("iframes-0000.ts");
        let ([old, new], clear) = ([key(1), key(2)], [vec![3; 4000], vec![4; 16]]);
        let sealed_with = |key: &(SegmentKey, Iv)| {
            [b"begin".to_vec(), seal(key, &clear[0]), b"between".to_vec(), seal(key, &clear[1])]
        };
        let parts = sealed_with(&old);
        fs::write(&path, parts.concat()).unwrap();
        let piece = |offset, length| Piece { offset, length, from: old.clone(), to: new.clone() };
        let first = parts[1].len() as u64;
        let pieces = [piece(5, Some(first)), piece(12 + first, None)];
        anew("iframes-0000.ts", &path, &pieces).unwrap();
        assert_eq!(fs::read(&path).unwrap(), sealed_with(&new).concat());
    }

    #[test]
    fn what_the_old_key_does_not_open_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.ts");
        for (offset, length) in [(0, Some(1 << 40)), (u64::MAX, Some(2)), (16, None), (0, Some(33))]
        {
            fs::write(&path, seal(&key(1), &[7; 30])).unwrap();
            let piece = Piece { offset, length, from: key(1), to: key(2) };
            let other = Piece { offset: 0, length: None, from: key(5), to: key(2) };
            assert!(anew("0.ts", &path, &[piece]).is_err(), "{offset} {length:?}");
            // Of wrong keys one in 256 opens something by chance; not this one.
            assert!(anew("0.ts", &path, &[other]).is_err());
        }
    }
}
