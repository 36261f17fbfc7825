//! One picture in planar 4:2:0.

use vodmill_model::units::Size;

/// Bits of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Eight,
    Ten,
}

/// Samples of 10 bits, whatever is stored: three planes in limited range.
pub(super) struct Picture {
    size: Size,
    luma: Vec<u16>,
    chroma: [Vec<u16>; 2],
}

/// The least and the most of luma in 10 bits.
const BLACK: i32 = 64;
const WHITE: i32 = 940;
/// Half way between the colours.
const GREY: i32 = 512;

impl Picture {
    /// A picture of luma from 0 (black) to 1023 (white) and chroma from -512 to 511 at each place;
    /// chroma is asked for at every second pixel of every second row.
    pub(super) fn draw(
        size: Size,
        luma: impl Fn(u32, u32) -> i32,
        chroma: impl Fn(u32, u32) -> [i32; 2],
    ) -> Picture {
        let (width, height) = (size.width, size.height);
        let range = WHITE - BLACK;
        let mut picture = Picture { size, luma: Vec::new(), chroma: [Vec::new(), Vec::new()] };
        picture.luma.reserve((width * height) as usize);
        for y in 0..height {
            let row = (0..width).map(|x| BLACK + luma(x, y).clamp(0, 1023) * range / 1023);
            picture.luma.extend(row.map(|value| value as u16));
        }
        for y in (0..height).step_by(2) {
            for x in (0..width).step_by(2) {
                for (plane, value) in picture.chroma.iter_mut().zip(chroma(x, y)) {
                    plane.push((GREY + value.clamp(-448, 448)) as u16);
                }
            }
        }
        picture
    }

    /// The planes one after the other; 10 bits as two bytes each, the lower first.
    pub(super) fn bytes(&self, depth: Depth) -> Vec<u8> {
        let samples = self.luma.iter().chain(&self.chroma[0]).chain(&self.chroma[1]);
        let bytes: Vec<u8> = match depth {
            Depth::Eight => samples.map(|&value| (value >> 2) as u8).collect(),
            Depth::Ten => samples.flat_map(|value| value.to_le_bytes()).collect(),
        };
        debug_assert!(bytes.len() >= (self.size.width * self.size.height) as usize);
        bytes
    }
}
