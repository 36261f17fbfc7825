//! Fitting a picture into the box of a preset.

use crate::preset::{Sizing, VideoCommon, VideoTarget};
use crate::units::Size;

/// The steps from a displayed picture to an output: scaled, then cropped, then padded. All sides
/// are even, because H.264 with 4:2:0 chroma takes no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    pub scaled: Size,
    pub cropped: Size,
    pub padded: Size,
}

/// How `display` goes into the box of `target`.
pub(super) fn fit(display: Size, common: &VideoCommon, target: &VideoTarget) -> Fitted {
    let area = turned_box(display, target);
    let scaled = scaled(display, area, common.sizing);
    let cropped =
        Size { width: scaled.width.min(area.width), height: scaled.height.min(area.height) };
    let padded = if common.padding { area } else { cropped };
    Fitted { scaled, cropped, padded }
}

/// The largest even size of the shape of `display` that is at most `width` wide.
pub(super) fn at_width(display: Size, width: u32) -> Size {
    scale_by(display, width.min(display.width), display.width, false)
}

/// The box as the preset has it for landscape pictures, turned for portrait ones.
fn turned_box(display: Size, target: &VideoTarget) -> Size {
    let (long, short) = (target.width.max(target.height), target.width.min(target.height));
    let (width, height) = match display.height > display.width {
        true => (short, long),
        false if target.width >= target.height => (long, short),
        false => (short, long),
    };
    Size { width: even_below(width), height: even_below(height) }
}

fn scaled(display: Size, area: Size, sizing: Sizing) -> Size {
    let (across, down) = (u64::from(display.width), u64::from(display.height));
    // The box is wider in shape than the picture: its height is met first.
    let height_first = u64::from(area.width) * down >= u64::from(area.height) * across;
    let smaller = |by_height: bool| match by_height {
        true => area.height < display.height,
        false => area.width < display.width,
    };
    let by = |by_height: bool, up: bool| match by_height {
        true => scale_by(display, area.height, display.height, up),
        false => scale_by(display, area.width, display.width, up),
    };
    match sizing {
        Sizing::Stretch => area,
        Sizing::Fit => by(height_first, true),
        Sizing::Fill => cover(by(!height_first, true), area),
        Sizing::ShrinkToFit if smaller(height_first) => by(height_first, false),
        Sizing::ShrinkToFill if smaller(!height_first) => by(!height_first, false),
        Sizing::Keep | Sizing::ShrinkToFit | Sizing::ShrinkToFill => {
            Size { width: even_below(display.width), height: even_below(display.height) }
        }
    }
}

/// `display` times `num / den`, sides to the nearest even number; unless it may go `up`, never
/// beyond `display`.
fn scale_by(display: Size, num: u32, den: u32, up: bool) -> Size {
    let side = |side: u32| {
        let even = even_nearest(side, num, den);
        if up { even } else { even.min(even_below(side)) }
    };
    Size { width: side(display.width), height: side(display.height) }
}

/// Rounding may leave a covering picture a pixel short of the box.
fn cover(scaled: Size, area: Size) -> Size {
    Size { width: scaled.width.max(area.width), height: scaled.height.max(area.height) }
}

fn even_nearest(side: u32, num: u32, den: u32) -> u32 {
    let product = u64::from(side) * u64::from(num);
    let twice = 2 * u64::from(den.max(1));
    let half = (product + twice / 2) / twice;
    u32::try_from(half * 2).unwrap_or(u32::MAX - 1).max(2)
}

fn even_below(side: u32) -> u32 {
    (side & !1).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::BitsPerSecond;

    fn fitted(width: u32, height: u32, sizing: Sizing, padding: bool) -> [(u32, u32); 3] {
        let target = VideoTarget {
            width: 640,
            height: 360,
            crf: Some(23),
            bitrate: None,
            max_bitrate: BitsPerSecond(1_000_000),
            buffer_seconds: 1,
        };
        let common = VideoCommon { sizing, padding, ..VideoCommon::default() };
        let steps = fit(Size { width, height }, &common, &target);
        [steps.scaled, steps.cropped, steps.padded].map(|size| (size.width, size.height))
    }

    #[test]
    fn fit_meets_one_side_of_the_box() {
        assert_eq!(fitted(320, 240, Sizing::Fit, false), [(480, 360); 3]);
        assert_eq!(fitted(1920, 800, Sizing::Fit, false), [(640, 266); 3]);
        assert_eq!(fitted(1920, 800, Sizing::Fit, true)[2], (640, 360));
    }

    #[test]
    fn fill_covers_the_box_and_is_cropped() {
        let all = fitted(1440, 1080, Sizing::Fill, false);
        assert_eq!(all, [(640, 480), (640, 360), (640, 360)]);
    }

    #[test]
    fn stretch_loses_the_shape_and_keep_only_crops() {
        assert_eq!(fitted(1440, 1080, Sizing::Stretch, false), [(640, 360); 3]);
        assert_eq!(fitted(1440, 200, Sizing::Keep, true), [(1440, 200), (640, 200), (640, 360)]);
    }

    #[test]
    fn shrinking_never_enlarges() {
        assert_eq!(fitted(321, 181, Sizing::ShrinkToFit, false), [(320, 180); 3]);
        assert_eq!(fitted(321, 181, Sizing::ShrinkToFill, true)[2], (640, 360));
        assert_eq!(fitted(1440, 1080, Sizing::ShrinkToFill, false)[1], (640, 360));
        assert_eq!(fitted(1280, 200, Sizing::ShrinkToFill, false)[1], (640, 200));
    }

    #[test]
    fn the_box_is_turned_for_portrait_pictures() {
        assert_eq!(fitted(1080, 1920, Sizing::ShrinkToFit, false), [(360, 640); 3]);
    }
}
