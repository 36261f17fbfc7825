//! Stills and sheets of stills as JPEG.

use std::path::Path;

use ffmpeg_next::codec::{Context, Flags};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::{Dictionary, Packet, Rational, color, encoder, ffi};
use vodmill_model::outcome::MediaError;
use vodmill_model::transcode::JpegOrder;
use vodmill_model::units::Size;

use crate::error;

/// Quantiser of libav's encoder, 2 (best) to 31; 3 shows no artefacts at the size of a poster.
const QUANTISER: i32 = 3;
/// JPEG's own limit.
const MAX_SIDE: u32 = 65_500;

/// Puts stills on a sheet, row by row, and writes it.
pub(crate) fn write(order: &JpegOrder) -> Result<(), MediaError> {
    let sheet = sheet(order)?;
    let packet =
        encode(&sheet).map_err(|cause| error::libav("encode", order.path.display(), cause))?;
    std::fs::write(&order.path, packet.data().unwrap_or_default())
        .map_err(|cause| error::file("write", &order.path, &cause))
}

fn sheet(order: &JpegOrder) -> Result<Video, MediaError> {
    let failed = |cause: &str| error::failed("make sheet", order.path.display(), cause);
    let cells = order.columns as usize * order.rows as usize;
    if order.stills.is_empty() || order.stills.len() > cells {
        return Err(failed("its stills do not fit its cells"));
    }
    let side = |length: u32, count: u32| {
        length.checked_mul(count).filter(|&side| (1..=MAX_SIDE).contains(&side))
    };
    let (Some(width), Some(height)) =
        (side(order.size.width, order.columns), side(order.size.height, order.rows))
    else {
        return Err(failed("its size is beyond JPEG's limits"));
    };
    let mut sheet = Video::new(Pixel::YUVJ420P, width, height);
    sheet.set_pts(Some(0));
    // SAFETY: sets a number of a frame that is ours.
    unsafe { (*sheet.as_mut_ptr()).quality = QUANTISER * ffi::FF_QP2LAMBDA };
    for (plane, black) in [(0, 0), (1, 128), (2, 128)] {
        sheet.data_mut(plane).fill(black);
    }
    for (index, path) in order.stills.iter().enumerate() {
        let cell = (index as u32 % order.columns, index as u32 / order.columns);
        place(&mut sheet, order.size, cell, path)?;
    }
    Ok(sheet)
}

/// Copies a raw still into its cell.
fn place(
    sheet: &mut Video,
    size: Size,
    (column, row): (u32, u32),
    path: &Path,
) -> Result<(), MediaError> {
    let still = std::fs::read(path).map_err(|cause| error::file("read", path, &cause))?;
    let (width, height) = (size.width as usize, size.height as usize);
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    if still.len() != width * height + 2 * half_width * half_height {
        return Err(error::failed("read still", path.display(), "it has another size"));
    }
    let (luma, chroma) = still.split_at(width * height);
    let (blue, red) = chroma.split_at(half_width * half_height);
    let sides =
        [(luma, width, height), (blue, half_width, half_height), (red, half_width, half_height)];
    for (plane, (bytes, width, height)) in sides.into_iter().enumerate() {
        // A cell of odd size begins within a chroma sample; the one before it gives way.
        let shift = usize::from(plane > 0);
        let left = (column as usize * size.width as usize) >> shift;
        let top = (row as usize * size.height as usize) >> shift;
        copy(sheet, plane, (left, top), bytes, (width, height));
    }
    Ok(())
}

fn copy(
    sheet: &mut Video,
    plane: usize,
    (left, top): (usize, usize),
    bytes: &[u8],
    (width, height): (usize, usize),
) {
    let stride = sheet.stride(plane);
    let rows = sheet.plane_height(plane) as usize;
    let data = sheet.data_mut(plane);
    for (line, source) in bytes.chunks_exact(width).take(height).enumerate() {
        let at = (top + line) * stride + left;
        if top + line < rows {
            data[at..at + width].copy_from_slice(source);
        }
    }
}

fn encode(sheet: &Video) -> Result<Packet, ffmpeg_next::Error> {
    let codec = encoder::find_by_name("mjpeg").ok_or(ffmpeg_next::Error::EncoderNotFound)?;
    let mut video = Context::new_with_codec(codec).encoder().video()?;
    video.set_width(sheet.width());
    video.set_height(sheet.height());
    video.set_format(Pixel::YUVJ420P);
    video.set_color_range(color::Range::JPEG);
    video.set_time_base(Rational::new(1, 1));
    // Known pixel shape: without it the encoder writes no JFIF header.
    video.set_aspect_ratio(Rational::new(1, 1));
    // Bit-exact: no version of libav in a comment.
    video.set_flags(Flags::QSCALE | Flags::BITEXACT);
    video.set_quality(QUANTISER as usize * ffi::FF_QP2LAMBDA as usize);
    let mut options = Dictionary::new();
    options.set("threads", "1");
    options.set("huffman", "optimal");
    let mut encoder = video.open_with(options)?;
    encoder.send_frame(sheet)?;
    encoder.send_eof()?;
    let mut packet = Packet::empty();
    encoder.receive_packet(&mut packet)?;
    Ok(packet)
}
