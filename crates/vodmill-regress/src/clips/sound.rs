//! Sound: chords whose loudness swells, and soft noise, in 16 bits and stereo.

use super::noise::hash;

/// Samples per second.
pub(super) const SAMPLE_RATE: u32 = 48_000;

/// The samples that go with one picture, left and right by turns, the lower byte first.
pub(super) fn samples(track: u32, picture: u32, picture_ms: u32) -> Vec<u8> {
    let per_picture = SAMPLE_RATE / 1000 * picture_ms;
    let first = picture * per_picture;
    let times = first..first + per_picture;
    times.flat_map(|time| stereo(track, time)).flat_map(i16::to_le_bytes).collect()
}

fn stereo(track: u32, time: u32) -> [i16; 2] {
    // A chord a second, each track in a key of its own.
    let root = [220, 262, 330, 196][(time / SAMPLE_RATE % 4) as usize] + 17 * track;
    let swell = 2000 + 4000 * (time % SAMPLE_RATE) as i32 / SAMPLE_RATE as i32;
    let chord = |shift: u32| {
        let tones = [root, root * 5 / 4, root * 3 / 2 + shift];
        tones.into_iter().map(|hertz| wave(hertz, time)).sum::<i32>() * swell / 3 / 4096
    };
    let hiss = |side| (hash(time, side, track) & 0x7f) as i32 - 64;
    [(chord(0) + hiss(0)) as i16, (chord(3) + hiss(1)) as i16]
}

/// A rounded wave from -4096 to 4096: two parabolas, near to a sine.
fn wave(hertz: u32, time: u32) -> i32 {
    let phase = (u64::from(time) * u64::from(hertz) * 4096 / u64::from(SAMPLE_RATE) % 4096) as i32;
    let (half, sign) = if phase < 2048 { (phase, 1) } else { (phase - 2048, -1) };
    sign * (half * (2048 - half) / 256)
}
