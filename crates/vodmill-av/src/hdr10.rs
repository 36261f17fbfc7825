//! HDR10's data as libav carries it beside streams and frames: as two structs that the bindings
//! lack (libavutil/mastering_display_metadata.h). Their beginnings are part of libav's interface.

use vodmill_model::media::{ContentLight, MasteringDisplay};

/// Steps of a chromaticity to the unit (ITU-T H.265, D.3.28).
const CHROMATICITY: i32 = 50_000;
/// Steps of a luminance to a cd/m².
const LUMINANCE: i32 = 10_000;

/// Fractions of two ints: x and y of red, green, blue and white, then the least and the greatest
/// luminance; then two ints that say which of them are there.
const DISPLAY_INTS: usize = 10 * 2 + 2;
const DISPLAY_BYTES: usize = DISPLAY_INTS * 4;
/// MaxCLL and MaxFALL.
const LIGHT_BYTES: usize = 2 * 4;

/// The mastering display in libav's struct; zeros stand for what is not said.
pub(crate) fn display(data: &[u8]) -> Option<MasteringDisplay> {
    let ints = ints(data.get(..DISPLAY_BYTES)?);
    let [fractions @ .., primaries, luminance] = &ints[..] else { return None };
    let (primaries, luminance) = (*primaries, *luminance);
    if primaries == 0 && luminance == 0 {
        return None;
    }
    let steps = |index: usize, unit: i32, said: i32| match said {
        0 => 0,
        _ => in_steps(fractions[2 * index], fractions[2 * index + 1], unit),
    };
    let point = |index: usize| {
        (steps(index, CHROMATICITY, primaries), steps(index + 1, CHROMATICITY, primaries))
    };
    Some(MasteringDisplay {
        red: point(0),
        green: point(2),
        blue: point(4),
        white: point(6),
        min_luminance: steps(8, LUMINANCE, luminance),
        max_luminance: steps(9, LUMINANCE, luminance),
    })
}

/// The light levels in libav's struct.
pub(crate) fn light(data: &[u8]) -> Option<ContentLight> {
    match ints(data.get(..LIGHT_BYTES)?)[..] {
        [max, average] => {
            Some(ContentLight { max: max.cast_unsigned(), average: average.cast_unsigned() })
        }
        _ => None,
    }
}

/// The display as libav's struct.
pub(crate) fn display_bytes(display: &MasteringDisplay) -> Vec<u8> {
    let MasteringDisplay { red, green, blue, white, max_luminance, min_luminance } = *display;
    let points = [red, green, blue, white].into_iter().flat_map(|(x, y)| [x, y]);
    let points = points.flat_map(|value| [clamped(value), CHROMATICITY]);
    let lights =
        [min_luminance, max_luminance].into_iter().flat_map(|value| [clamped(value), LUMINANCE]);
    points.chain(lights).chain([1, 1]).flat_map(i32::to_ne_bytes).collect()
}

/// The light levels as libav's struct.
pub(crate) fn light_bytes(light: &ContentLight) -> Vec<u8> {
    [light.max, light.average].into_iter().flat_map(u32::to_ne_bytes).collect()
}

fn ints(bytes: &[u8]) -> Vec<i32> {
    bytes.as_chunks::<4>().0.iter().map(|four| i32::from_ne_bytes(*four)).collect()
}

fn clamped(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// A fraction in steps of a unit, rounded; 0 where it makes no sense.
fn in_steps(numerator: i32, denominator: i32, unit: i32) -> u32 {
    if denominator <= 0 {
        return 0;
    }
    let scaled = i64::from(numerator) * i64::from(unit) + i64::from(denominator / 2);
    u32::try_from(scaled / i64::from(denominator)).unwrap_or(0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const P3: MasteringDisplay = MasteringDisplay {
        red: (34_000, 16_000),
        green: (13_250, 34_500),
        blue: (7_500, 3_000),
        white: (15_635, 16_450),
        max_luminance: 10_000_000,
        min_luminance: 50,
    };

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(display(&display_bytes(&P3)), Some(P3));
        let levels = ContentLight { max: 1000, average: 400 };
        assert_eq!(light(&light_bytes(&levels)), Some(levels));
    }

    #[test]
    fn what_is_not_said_is_zero_or_nothing() {
        let mut bytes = display_bytes(&P3);
        let luminance = bytes.len() - 4;
        bytes[luminance..].fill(0);
        let read = display(&bytes).unwrap();
        assert_eq!((read.red, read.max_luminance, read.min_luminance), (P3.red, 0, 0));
        bytes[luminance - 4..].fill(0);
        assert_eq!(display(&bytes), None);
        assert_eq!((display(&bytes[..80]), light(&[0; 4])), (None, None));
    }

    #[test]
    fn fractions_that_make_no_sense_are_zero() {
        assert_eq!([in_steps(1, 0, 50_000), in_steps(-1, 2, 50_000)], [0, 0]);
        assert_eq!(in_steps(708, 1000, 50_000), 35_400);
        assert_eq!(in_steps(i32::MAX, 1, 50_000), 0, "beyond any number");
    }
}
