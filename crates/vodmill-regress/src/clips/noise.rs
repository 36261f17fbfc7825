//! Randomness that is the same everywhere, and textures of it.

/// A well mixed number of three others.
pub(super) fn hash(x: u32, y: u32, seed: u32) -> u32 {
    let mut mixed = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77);
    mixed ^= seed.wrapping_mul(0xc2b2_ae3d);
    mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
    mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297a_2d39);
    mixed ^ (mixed >> 15)
}

/// Noise like that of film: about normal, from -30 to 30, mostly within 12.
pub(super) fn grain(x: u32, y: u32, seed: u32) -> i32 {
    let bits = hash(x, y, seed);
    let sum = (0..4).map(|byte| (bits >> (byte * 8) & 0xff) as i32).sum::<i32>();
    (sum - 510) / 17
}

/// A square of smooth and fine detail that can be repeated in both directions; values from 0 to 255.
pub(super) struct Texture {
    values: Vec<u8>,
}

/// Pixels of a side.
const SIDE: u32 = 1024;

impl Texture {
    /// Octaves from `coarsest` pixels down to `finest`, each with half the weight of the one before.
    pub(super) fn new(seed: u32, coarsest: u32, finest: u32) -> Texture {
        let mut sums = vec![0_u32; (SIDE * SIDE) as usize];
        let (mut cell, mut weight, mut total) = (coarsest, 256, 0);
        while cell >= finest && weight > 0 {
            add_octave(&mut sums, seed ^ cell, cell, weight);
            total += weight;
            (cell, weight) = (cell / 2, weight / 2);
        }
        Texture { values: sums.into_iter().map(|sum| (sum / total.max(1)) as u8).collect() }
    }

    /// The value there.
    pub(super) fn at(&self, x: u32, y: u32) -> i32 {
        i32::from(self.values[((y % SIDE) * SIDE + x % SIDE) as usize])
    }
}

/// Adds noise that is random at every `cell` pixels, and straight between.
fn add_octave(sums: &mut [u32], seed: u32, cell: u32, weight: u32) {
    let cells = SIDE / cell;
    let corner = |x: u32, y: u32| hash(x % cells, y % cells, seed) & 0xff;
    for y in 0..SIDE {
        let (row, down) = (y / cell, y % cell);
        for column in 0..cells {
            let (left, right) = (column, column + 1);
            let mix = |x| corner(x, row) * (cell - down) + corner(x, row + 1) * down;
            let (from, to) = (mix(left), mix(right));
            for across in 0..cell {
                let value = (from * (cell - across) + to * across) / (cell * cell);
                sums[(y * SIDE + column * cell + across) as usize] += value * weight;
            }
        }
    }
}
