//! MP4 by its boxes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

pub(super) fn prove(path: &Path) -> io::Result<Vec<(&'static str, String)>> {
    if is_streamable(path).unwrap_or(false) {
        return Ok(Vec::new());
    }
    let detail = "its index (moov) is not in front of its media";
    Ok(vec![("not_streamable", detail.to_owned())])
}

/// Whether the `moov` box comes before `mdat` (ISO/IEC 14496-12, 6.2.3).
fn is_streamable(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    // A file has a handful of boxes at its top level.
    for _ in 0..64 {
        let mut header = [0; 16];
        file.read_exact(&mut header[..8])?;
        match &header[4..8] {
            b"moov" => return Ok(true),
            b"mdat" => return Ok(false),
            _ => {}
        }
        let short = u32::from_be_bytes([header[0], header[1], header[2], header[3]]);
        let skip = match short {
            1 => {
                file.read_exact(&mut header[8..])?;
                i64::from_be_bytes(std::array::from_fn(|index| header[8 + index])) - 16
            }
            size => i64::from(size) - 8,
        };
        if skip < 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::Current(skip))?;
    }
    Ok(false)
}
