//! The size of a JPEG, from its frame header.

/// Width and height.
pub fn size(bytes: &[u8]) -> Result<(u32, u32), String> {
    let whole = bytes.starts_with(&[0xff, 0xd8]) && bytes.ends_with(&[0xff, 0xd9]);
    if !whole {
        return Err("no whole JPEG".to_owned());
    }
    let mut rest = &bytes[2..];
    while let [0xff, marker, l0, l1, tail @ ..] = rest {
        let length = usize::from(*l0) << 8 | usize::from(*l1);
        // SOF0 to SOF3; vodmill writes no other coding.
        if (0xc0..=0xc3).contains(marker) {
            return frame(tail);
        }
        rest = rest.get(2 + length..).ok_or("a JPEG segment is cut")?;
    }
    Err("a JPEG without a frame".to_owned())
}

fn frame(fields: &[u8]) -> Result<(u32, u32), String> {
    match *fields {
        [_, h0, h1, w0, w1, ..] => {
            Ok((u32::from(w0) << 8 | u32::from(w1), u32::from(h0) << 8 | u32::from(h1)))
        }
        _ => Err("a JPEG frame header is cut".to_owned()),
    }
}
