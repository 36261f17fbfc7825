//! From coded pictures to the common picture: upright, progressive, BT.709 where need be.

use super::colour::HdrHandling;
use super::colour::{self, ColourForm, DELIVERY};
use super::{Decisions, hdr10};
use crate::media::{Crop, FieldOrder, MediaInfo, VideoTrack};
use crate::pipeline::InputPolicy;
use crate::plan::DecodePlan;
use crate::units::{Ratio, Size};

/// A pixel more than this much wider or higher than the other way is a mistake in the file.
const ODDEST_PIXEL: u32 = 20;

/// The pixel aspect as it is believed.
pub(crate) fn pixel_aspect(track: &VideoTrack) -> Ratio {
    let aspect = track.pixel_aspect;
    let limit = Ratio { num: ODDEST_PIXEL, den: 1 };
    let sane = aspect.num > 0 && !aspect.exceeds(limit) && !aspect.inverse().exceeds(limit);
    if sane { aspect } else { Ratio::ONE }
}

/// The container's cropping, as it is believed: one that leaves less than a quarter of a side is a
/// mistake, and where the size changes within the track, nobody says which size it is meant for. To
/// whole chroma samples of 4:2:0, so that every pixel format can be cut there.
pub(crate) fn believed_crop(track: &VideoTrack) -> Option<Crop> {
    let even = |side: u32| side & !1;
    let Crop { left, top, right, bottom } = track.crop?;
    let crop = Crop { left: even(left), top: even(top), right: even(right), bottom: even(bottom) };
    let (across, down) = (crop.left.checked_add(crop.right)?, crop.top.checked_add(crop.bottom)?);
    let leaves_enough = |cut: u32, side: u32| u64::from(cut) * 4 <= u64::from(side) * 3;
    let sane = leaves_enough(across, track.coded.width) && leaves_enough(down, track.coded.height);
    (sane && across + down > 0 && !track.size_changes).then_some(crop)
}

/// The part of the coded picture that is shown.
fn cropped(track: &VideoTrack) -> Size {
    let Crop { left, top, right, bottom } = believed_crop(track).unwrap_or_default();
    let Size { width, height } = track.coded;
    Size { width: width - left - right, height: height - top - bottom }
}

/// Size as shown: square pixels, upright. Height is kept, width follows the pixel aspect.
pub(crate) fn display_size(track: &VideoTrack) -> Size {
    let shown = cropped(track);
    let width = pixel_aspect(track).scale(i64::from(shown.width), 1);
    let width = u32::try_from(width).unwrap_or(shown.width).max(1);
    let height = shown.height.max(1);
    match track.rotation % 180 {
        90 => Size { width: height, height: width },
        _ => Size { width, height },
    }
}

/// The common picture, as outputs take it.
#[derive(Clone, Copy)]
pub(super) struct CommonPicture<'a> {
    track: &'a VideoTrack,
    handling: HdrHandling,
}

impl<'a> CommonPicture<'a> {
    /// Where nothing keeps high dynamic range, it is mapped once for all outputs.
    pub fn new(track: &'a VideoTrack, handling: HdrHandling) -> CommonPicture<'a> {
        CommonPicture { track, handling }
    }

    /// The track, if its high dynamic range is still in the picture.
    pub fn hdr(&self) -> Option<&'a VideoTrack> {
        (colour::is_hdr(self.track) && self.handling != HdrHandling::ToneMapped)
            .then_some(self.track)
    }

    /// The chain at `size` to pictures of `form` in standard range.
    pub fn standard(&self, size: Size, form: ColourForm) -> String {
        let mapped = self.hdr().and_then(|track| colour::to_bt709(track, size));
        match mapped {
            Some(chain) if form == DELIVERY => chain,
            Some(chain) => format!("{chain},{}", colour::scale(size, DELIVERY, form)),
            None if form == DELIVERY && self.is_plain() => colour::scale_plain(size),
            None => colour::scale(size, self.form(), form),
        }
    }

    /// Whether frames are even in size, of 8 bits, 4:2:0 and in the form of delivery.
    fn is_plain(&self) -> bool {
        let Size { width, height } = self.track.coded;
        let is_even = width % 2 == 0 && height % 2 == 0 && !self.track.size_changes;
        let is_mapped = colour::is_hdr(self.track) || colour::is_wide_gamut(self.track);
        let is_yuv420 = is_mapped || self.track.pixel_format == "yuv420p";
        is_even && is_yuv420 && self.form() == DELIVERY
    }

    /// The chain at `size` to pictures of `form` by the one scaler that scores are made with, however
    /// outputs are scaled. What is tone mapped is in the form of delivery.
    pub fn compared(&self, size: Size, form: ColourForm) -> String {
        let mapped = self.hdr().and_then(|track| colour::to_bt709(track, size));
        mapped.unwrap_or_else(|| colour::scale(size, self.form(), form))
    }

    /// The form of its pictures after decoding and mapping.
    pub fn form(&self) -> ColourForm {
        if colour::is_hdr(self.track) || colour::is_wide_gamut(self.track) {
            DELIVERY
        } else {
            ColourForm::of(self.track)
        }
    }
}

/// How the track is decoded; `largest` is the largest picture that any output takes.
pub(super) fn decode_plan(
    media: &MediaInfo,
    picture: &CommonPicture<'_>,
    largest: Size,
    policy: &InputPolicy,
    decisions: &mut Decisions,
) -> DecodePlan {
    let track = picture.track;
    let mut chain: Vec<String> = crop_filter(track).into_iter().collect();
    chain.extend(turn(track));
    chain.extend(colour::to_bt709(track, largest).filter(|_| picture.hdr().is_none()));
    let plan = DecodePlan {
        input: 0,
        track: track.index,
        time_base: track.time_base,
        origin: track.first,
        field_filter: field_filter(track),
        picture_filter: chain.join(","),
        max_pixels: policy.max_pixels,
        clock_jumps: media.clock_jumps.clone(),
    };
    explain(picture, &plan, decisions);
    plan
}

/// One picture for each frame, not for each field: the rate of the programme stays.
fn field_filter(track: &VideoTrack) -> String {
    let parity = match track.field_order {
        FieldOrder::Progressive => return String::new(),
        FieldOrder::TopFirst => "tff",
        FieldOrder::BottomFirst => "bff",
    };
    format!("bwdif=mode=send_frame:parity={parity}:deint=all")
}

/// Before the picture is turned, as the container counts sides; after its fields were taken apart.
fn crop_filter(track: &VideoTrack) -> Option<String> {
    let crop = believed_crop(track)?;
    let Size { width, height } = cropped(track);
    Some(format!("crop={width}:{height}:{}:{}", crop.left, crop.top))
}

/// Mirrored first, then turned; the decoder does neither.
fn turn(track: &VideoTrack) -> Vec<String> {
    let filters: &[&str] = match (track.mirrored, track.rotation) {
        (false, 90) => &["transpose=clock"],
        (false, 180) => &["hflip", "vflip"],
        (false, 270) => &["transpose=cclock"],
        (true, 90) => &["hflip", "transpose=clock"],
        (true, 180) => &["vflip"],
        (true, 270) => &["hflip", "transpose=cclock"],
        (true, _) => &["hflip"],
        (false, _) => &[],
    };
    filters.iter().map(|&filter| filter.to_owned()).collect()
}

fn explain(picture: &CommonPicture<'_>, plan: &DecodePlan, decisions: &mut Decisions) {
    let track = picture.track;
    let display = display_size(track);
    let reason = format!(
        "coded {}, pixel aspect {}, turned by {} degrees",
        track.coded,
        pixel_aspect(track),
        track.rotation
    );
    decisions.add("displayed size", display.to_string(), reason);
    if !plan.field_filter.is_empty() {
        decisions.add("fields", &plan.field_filter, "the source is interlaced, screens are not");
    }
    let colour = &track.colour;
    let found = format!("the source is {}/{}/{}", colour.matrix, colour.primaries, colour.transfer);
    let (choice, reason) = match () {
        () if colour::is_hdr(track) && picture.handling == HdrHandling::Kept => {
            ("kept in HEVC, 10 bits, BT.2020", format!("{found}; the presets keep it"))
        }
        () if colour::is_hdr(track) && picture.handling == HdrHandling::Both => {
            let reason = format!("{found}; some presets keep it, others are for SDR screens");
            ("kept in HEVC, 10 bits, BT.2020, and tone mapped to BT.709", reason)
        }
        () if colour::is_hdr(track) => {
            ("tone mapped to BT.709", format!("{found}; H.264 outputs are for SDR screens"))
        }
        () if colour::is_wide_gamut(track) => {
            ("primaries mapped to BT.709", format!("{found}; outputs are for every screen"))
        }
        () => ("BT.709, limited range", format!("{found}; players assume BT.709 for H.264")),
    };
    decisions.add("colour", choice, reason);
    if colour::is_hdr(track) && picture.handling != HdrHandling::ToneMapped {
        explain_hdr10(track, decisions);
    }
}

fn explain_hdr10(track: &VideoTrack, decisions: &mut Decisions) {
    let faults = hdr10::faults(track);
    let (choice, reason) = match (track.hdr10.is_empty(), colour::is_pq(track)) {
        (true, _) => return,
        (false, false) => ("left out", "HLG is relative to the screen".to_owned()),
        (false, true) if faults.is_empty() => {
            ("passed on", "the file says what it was graded on".to_owned())
        }
        (false, true) if hdr10::passed_on(track).is_empty() => ("left out", faults.join("; ")),
        (false, true) => ("passed on in part", faults.join("; ")),
    };
    decisions.add("mastering data", choice, reason);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::media::Colour;

    fn cut(coded: (u32, u32), sides: [u32; 4]) -> VideoTrack {
        let fixture = include_str!("../../tests/fixtures/plain-1080p25.json");
        let mut media: MediaInfo = serde_json::from_str(fixture).unwrap();
        let [left, top, right, bottom] = sides;
        VideoTrack {
            coded: Size { width: coded.0, height: coded.1 },
            crop: Some(Crop { left, top, right, bottom }),
            ..media.video.remove(0)
        }
    }

    #[test]
    fn what_the_container_cuts_off_is_cut_off_before_the_picture_is_turned() {
        let track = VideoTrack { rotation: 90, ..cut((720, 576), [8, 0, 8, 4]) };
        assert_eq!(display_size(&track), Size { width: 572, height: 704 });
        assert_eq!(crop_filter(&track).as_deref(), Some("crop=704:572:8:0"));
        assert_eq!(believed_crop(&cut((720, 576), [7, 3, 0, 0])).map(|crop| crop.left), Some(6));
    }

    #[test]
    fn only_plain_pictures_are_scaled_by_zimg() {
        let half = Size { width: 960, height: 540 };
        let scaler = |track: &VideoTrack| {
            let picture = CommonPicture::new(track, HdrHandling::ToneMapped);
            (picture.standard(half, DELIVERY), picture.standard(half, colour::JPEG))
        };
        let plain = cut((1920, 1080), [0; 4]);
        let (rung, still) = scaler(&plain);
        assert!(rung.contains("zscale=w=960:h=540") && !rung.contains(",scale="), "{rung}");
        assert!(still.starts_with("scale=960:540"), "{still}");
        let full_range = Colour { full_range: true, ..plain.colour.clone() };
        let bt601 = Colour { matrix: "smpte170m".to_owned(), ..plain.colour.clone() };
        for other in [
            cut((1919, 1080), [0; 4]),
            cut((1920, 1079), [0; 4]),
            VideoTrack { size_changes: true, ..plain.clone() },
            VideoTrack { pixel_format: "yuv420p10le".to_owned(), ..plain.clone() },
            VideoTrack { pixel_format: "yuvj420p".to_owned(), ..plain.clone() },
            VideoTrack { pixel_format: "yuv422p".to_owned(), ..plain.clone() },
            VideoTrack { colour: full_range, ..plain.clone() },
            VideoTrack { colour: bt601, ..plain.clone() },
        ] {
            let (rung, _) = scaler(&other);
            assert!(rung.starts_with("scale=960:540"), "{rung}");
        }
    }

    #[test]
    fn a_crop_that_cannot_be_meant_is_not_believed() {
        for sides in [
            [600, 0, 0, 0],
            [300, 0, 300, 0],
            [0, 288, 0, 288],
            [u32::MAX; 4],
            [0; 4],
            [1, 1, 1, 1],
        ] {
            let track = cut((720, 576), sides);
            assert_eq!(believed_crop(&track), None, "{sides:?}");
            assert_eq!(display_size(&track), Size { width: 720, height: 576 });
        }
        let changes = VideoTrack { size_changes: true, ..cut((720, 576), [8, 0, 8, 0]) };
        assert_eq!(believed_crop(&changes), None);
    }
}
