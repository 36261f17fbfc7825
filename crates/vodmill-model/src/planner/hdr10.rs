//! What files say of their high dynamic range, and whether it can be true. A screen that believes
//! wrong data shows dark or coloured pictures; without any it takes values of its own.

use super::colour;
use crate::media::{ContentLight, Hdr10, MasteringDisplay, VideoTrack};

/// Steps of a chromaticity to the unit.
const UNIT: u32 = 50_000;

/// Steps of a luminance to a cd/m².
const CANDELA: u32 = 10_000;

/// The brightest that PQ has (SMPTE ST 2084), in cd/m².
const BRIGHTEST: u32 = 10_000;

/// What is passed on of a track's data, where its high dynamic range is kept. HLG has no use for it:
/// its pictures are relative to the screen.
pub(super) fn passed_on(track: &VideoTrack) -> Hdr10 {
    if !colour::is_pq(track) {
        return Hdr10::default();
    }
    let Hdr10 { display, light } = track.hdr10;
    Hdr10 {
        display: display.filter(|display| fault_of_display(display).is_none()),
        light: light.filter(|light| fault_of_light(light).is_none()),
    }
}

/// What is wrong with the data of a PQ track.
pub(crate) fn faults(track: &VideoTrack) -> Vec<&'static str> {
    if !colour::is_pq(track) {
        return Vec::new();
    }
    let display = track.hdr10.display.as_ref().and_then(fault_of_display);
    let light = track.hdr10.light.as_ref().and_then(fault_of_light);
    display.into_iter().chain(light).collect()
}

/// ITU-T H.265, D.3.28, and what a screen can be.
fn fault_of_display(display: &MasteringDisplay) -> Option<&'static str> {
    let MasteringDisplay { red, green, blue, white, max_luminance: max, min_luminance: min } =
        *display;
    let lit = (50 * CANDELA..=BRIGHTEST * CANDELA).contains(&max) && min <= 5 * CANDELA;
    let possible = |(x, y): (u32, u32)| x > 0 && y > 0 && x.saturating_add(y) <= UNIT;
    if ![red, green, blue, white].into_iter().all(possible) {
        return Some("the mastering display has colours that do not exist");
    }
    // Files are found with the primaries in another order.
    let in_order =
        red.0 > green.0.max(blue.0) && green.1 > red.1.max(blue.1) && blue.1 < red.1.min(green.1);
    if !in_order || !is_within(white, [red, green, blue]) {
        return Some("the primaries of the mastering display are none");
    }
    (!lit).then_some("the mastering display has a luminance that no screen has")
}

/// Whether a point lies within a triangle whose corners go one way round.
fn is_within(point: (u32, u32), corners: [(u32, u32); 3]) -> bool {
    let [a, b, c] = corners;
    let side = |from: (u32, u32), to: (u32, u32)| {
        let [px, py, fx, fy, tx, ty] =
            [point.0, point.1, from.0, from.1, to.0, to.1].map(i64::from);
        (tx - fx) * (py - fy) - (ty - fy) * (px - fx)
    };
    let sides = [side(a, b), side(b, c), side(c, a)];
    sides.iter().all(|side| *side > 0) || sides.iter().all(|side| *side < 0)
}

fn fault_of_light(light: &ContentLight) -> Option<&'static str> {
    let ContentLight { max, average } = *light;
    let wrong = max == 0 || max > BRIGHTEST || average > max;
    wrong.then_some("the light levels of the content cannot be")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A P3 screen as most films are graded on.
    const P3: MasteringDisplay = MasteringDisplay {
        red: (34_000, 16_000),
        green: (13_250, 34_500),
        blue: (7_500, 3_000),
        white: (15_635, 16_450),
        max_luminance: 10_000_000,
        min_luminance: 50,
    };

    #[test]
    fn real_screens_are_believed() {
        let (red, green, blue) = ((35_400, 14_600), (8_500, 39_850), (6_550, 2_300));
        let bt2020 = MasteringDisplay { red, green, blue, max_luminance: 40_000_000, ..P3 };
        let (red, green, blue) = ((32_000, 16_500), (15_000, 30_000), (7_500, 3_000));
        let bt709 = MasteringDisplay { red, green, blue, min_luminance: 0, ..P3 };
        for display in [P3, bt2020, bt709] {
            assert_eq!(fault_of_display(&display), None, "{display:?}");
        }
    }

    #[test]
    fn wrong_screens_are_not() {
        let zeros = MasteringDisplay {
            red: (0, 0),
            green: (0, 0),
            blue: (0, 0),
            white: (0, 0),
            max_luminance: 0,
            min_luminance: 0,
        };
        let turned = MasteringDisplay { red: P3.green, green: P3.blue, blue: P3.red, ..P3 };
        let outside = MasteringDisplay { white: (40_000, 5_000), ..P3 };
        let dark = MasteringDisplay { max_luminance: 1_000, ..P3 };
        let upside_down = MasteringDisplay { max_luminance: 50, min_luminance: 10_000_000, ..P3 };
        let too_bright = MasteringDisplay { max_luminance: u32::MAX, ..P3 };
        for display in [zeros, turned, outside, dark, upside_down, too_bright] {
            assert!(fault_of_display(&display).is_some(), "{display:?}");
        }
    }

    #[test]
    fn light_is_what_pq_can_hold() {
        let fault = |max, average| fault_of_light(&ContentLight { max, average });
        assert_eq!([fault(1000, 400), fault(10_000, 0), fault(1, 1)], [None; 3]);
        assert!([fault(0, 0), fault(400, 1000), fault(65_535, 400)].iter().all(Option::is_some));
    }
}
