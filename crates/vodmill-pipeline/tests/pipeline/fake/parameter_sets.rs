//! Codec configurations that codec strings can be read from.

use vodmill_model::Size;

/// An Annex B sequence parameter set (ITU-T H.264, 7.3.2.1) of Constrained Baseline, level 3.
pub(super) fn sequence_parameter_set(size: Size) -> Vec<u8> {
    let blocks = |side: u32| side.div_ceil(16);
    let crop = |side: u32| (blocks(side) * 16 - side) / 2;
    let mut bits = Bits::default();
    [66, 0xc0, 30].into_iter().for_each(|byte| bits.put(byte, 8));
    // Id, length of frame numbers, order count type 2, one reference frame.
    [0, 0, 2, 1].into_iter().for_each(|value| bits.put_unsigned(value));
    bits.put(0, 1);
    bits.put_unsigned(blocks(size.width) - 1);
    bits.put_unsigned(blocks(size.height) - 1);
    // Frames only, direct 8x8 inference, cropping.
    bits.put(0b111, 3);
    [0, crop(size.width), 0, crop(size.height)].into_iter().for_each(|v| bits.put_unsigned(v));
    // No VUI; the stop bit.
    bits.put(0b01, 2);
    [&[0, 0, 0, 1, 0x67], bits.bytes().as_slice()].concat()
}

/// An AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) of AAC-LC at 48 kHz.
pub(super) fn audio_specific_config(channels: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(2, 5);
    bits.put(3, 4);
    bits.put(channels, 4);
    bits.put(0, 3);
    bits.bytes()
}

#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    /// An Exp-Golomb code.
    fn put_unsigned(&mut self, value: u32) {
        let digits = u32::BITS - (value + 1).leading_zeros();
        self.put(0, digits - 1);
        self.put(value + 1, digits);
    }

    fn bytes(&self) -> Vec<u8> {
        let byte = |bits: &[bool]| {
            (0..8).fold(0, |byte, bit| byte << 1 | u8::from(bits.get(bit) == Some(&true)))
        };
        self.0.chunks(8).map(byte).collect()
    }
}
