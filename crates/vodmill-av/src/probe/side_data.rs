//! What stands beside a stream or a frame. docs/inputs.md has a table of everything that libav
//! offers there, and what becomes of it.

use std::ffi::CStr;

use ffmpeg_next::codec::packet::side_data::Type;
use ffmpeg_next::{Stream, ffi};
use vodmill_model::media::{DolbyVision, Hdr10};

use super::matrix;
use crate::hdr10;

fn find<'a>(stream: &'a Stream<'_>, kind: Type) -> Option<&'a [u8]> {
    let data = stream.side_data().find(|data| data.kind() == kind)?;
    // SAFETY: the bytes belong to the stream, whose side data does not change while it is borrowed.
    Some(unsafe { std::slice::from_raw_parts(data.data().as_ptr(), data.data().len()) })
}

/// Whether the stream is marked as one that serves another: thumbnails in time, a layer, metadata
/// in pictures, a still.
pub(super) fn is_auxiliary(stream: &Stream<'_>) -> bool {
    let marks = ffi::AV_DISPOSITION_TIMED_THUMBNAILS
        | ffi::AV_DISPOSITION_DEPENDENT
        | ffi::AV_DISPOSITION_METADATA
        | ffi::AV_DISPOSITION_STILL_IMAGE;
    // SAFETY: the stream is valid. The bindings' own type knows fewer of these marks.
    unsafe { (*stream.as_ptr()).disposition & marks != 0 }
}

/// What the container says; what frames say comes later.
pub(super) fn hdr10(stream: &Stream<'_>) -> Hdr10 {
    Hdr10 {
        display: find(stream, Type::MasteringDisplayMetadata).and_then(hdr10::display),
        light: find(stream, Type::ContentLightLevel).and_then(hdr10::light),
    }
}

pub(super) fn orientation(stream: &Stream<'_>) -> (u16, bool) {
    find(stream, Type::DisplayMatrix).map_or((0, false), orientation_of)
}

/// A display matrix as libav has it: nine ints.
pub(super) fn orientation_of(data: &[u8]) -> (u16, bool) {
    let mut numbers = [0; 9];
    for (number, bytes) in numbers.iter_mut().zip(data.as_chunks::<4>().0) {
        *number = i32::from_ne_bytes(*bytes);
    }
    matrix::orientation(&numbers)
}

/// libav's struct of the configuration record (libavutil/dovi_meta.h): bytes alone, of which only
/// the version comes before what is read here.
pub(super) fn dolby_vision(stream: &Stream<'_>) -> Option<DolbyVision> {
    match *find(stream, Type::DOVI_CONF)? {
        [_, _, profile, _, _rpu, enhancement, base, compatibility, ..] => Some(DolbyVision {
            profile,
            compatibility,
            base_layer: base != 0,
            enhancement_layer: enhancement != 0,
        }),
        _ => None,
    }
}

/// Metadata of a frame (libavutil/dovi_meta.h, `AVDOVIMetadata` and `AVDOVIRpuDataHeader`): a base
/// layer in full range without a VDR profile is one of profile 5, which no other screen shows. Other
/// profiles are told by the container, or have a base that is shown right without a word.
pub(super) fn dolby_vision_of_frame(data: &[u8]) -> Option<DolbyVision> {
    let at = usize::from_ne_bytes(*data.first_chunk()?);
    let header = data.get(at..)?;
    let (vdr_profile, full_range) = (*header.get(4)?, *header.get(10)?);
    (vdr_profile == 0 && full_range != 0).then_some(DolbyVision {
        profile: 5,
        compatibility: 0,
        base_layer: true,
        enhancement_layer: false,
    })
}

/// libav's name of the projection.
pub(super) fn projection(stream: &Stream<'_>) -> Option<String> {
    find(stream, Type::DataSpherical).map(projection_of)
}

/// The projection in libav's struct (libavutil/spherical.h), whose first int it is.
pub(super) fn projection_of(data: &[u8]) -> String {
    let names = [
        ffi::AVSphericalProjection::AV_SPHERICAL_EQUIRECTANGULAR,
        ffi::AVSphericalProjection::AV_SPHERICAL_CUBEMAP,
        ffi::AVSphericalProjection::AV_SPHERICAL_EQUIRECTANGULAR_TILE,
    ];
    let number = data.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
    let known = names.into_iter().find(|name| Some(*name as u32) == number);
    // SAFETY: a value of the enum; the name is null or a constant.
    known.map_or_else(
        || "unknown".to_owned(),
        |name| unsafe { text(ffi::av_spherical_projection_name(name)) },
    )
}

/// libav's name of how two views are packed; none for one view.
pub(super) fn stereo(stream: &Stream<'_>) -> Option<String> {
    find(stream, Type::Stereo3d).and_then(stereo_of)
}

/// The packing in libav's struct (libavutil/stereo3d.h), whose first int it is.
pub(super) fn stereo_of(data: &[u8]) -> Option<String> {
    let number = data.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))?;
    // SAFETY: libav looks the number up and says "unknown" beyond its names, constants all.
    (number != 0).then(|| unsafe { text(ffi::av_stereo3d_type_name(number)) })
}

/// # Safety
/// `name` is null or a string that ends in a zero byte.
unsafe fn text(name: *const std::ffi::c_char) -> String {
    if name.is_null() {
        return "unknown".to_owned();
    }
    // SAFETY: not null, and the caller's promise.
    unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of libav's that names the values of an enum.
    type Name = unsafe extern "C" fn(u32) -> *const std::ffi::c_char;

    /// The names that libav gives to the numbers from zero, as far as it knows any.
    fn names(name: Name) -> Vec<String> {
        // SAFETY: libav looks a number up, and says null beyond its names, which are constants.
        let all = (0..100).map(|number| unsafe { name(number) }).filter(|name| !name.is_null());
        // SAFETY: not null, and ends in a zero byte.
        all.map(|name| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_table_for_people_has_all_that_libav_offers() {
        let table = include_str!("../../../../docs/inputs.md");
        // SAFETY: the enums are 32 bits wide, as their numbers are.
        let (packets, frames) = unsafe {
            (
                names(std::mem::transmute::<*const (), Name>(
                    ffi::av_packet_side_data_name as *const (),
                )),
                names(std::mem::transmute::<*const (), Name>(
                    ffi::av_frame_side_data_name as *const (),
                )),
            )
        };
        let marks = (0..31).map(|bit| {
            // SAFETY: as for the other names.
            let name = unsafe { ffi::av_disposition_to_string(1 << bit) };
            // SAFETY: null, or a constant that ends in a zero byte.
            (!name.is_null()).then(|| unsafe { text(name) })
        });
        assert!(packets.len() > 30 && frames.len() > 25);
        let all = packets.into_iter().chain(frames).chain(marks.flatten());
        let missing: Vec<_> = all.filter(|name| !table.contains(&format!("| {name} |"))).collect();
        assert!(missing.is_empty(), "docs/inputs.md does not say what becomes of {missing:?}");
    }

    #[test]
    fn profile_5_shows_in_the_metadata_of_frames() {
        let frame = |vdr_profile: u8, full_range: u8| {
            let mut data = 24_usize.to_ne_bytes().to_vec();
            data.resize(64, 0);
            (data[24 + 4], data[24 + 10]) = (vdr_profile, full_range);
            dolby_vision_of_frame(&data).map(|vision| vision.profile)
        };
        assert_eq!(
            [frame(0, 1), frame(1, 0), frame(0, 0), frame(1, 1)],
            [Some(5), None, None, None]
        );
        assert_eq!(dolby_vision_of_frame(&[0xff; 40]), None, "an offset beyond the end");
        assert_eq!(dolby_vision_of_frame(&[]), None);
    }

    #[test]
    fn projections_and_packings_have_names() {
        assert_eq!(projection_of(&0_u32.to_ne_bytes()), "equirectangular");
        assert_eq!(projection_of(&77_u32.to_ne_bytes()), "unknown");
        assert_eq!(stereo_of(&0_u32.to_ne_bytes()), None);
        assert_eq!(stereo_of(&1_u32.to_ne_bytes()).as_deref(), Some("side by side"));
        assert!(stereo_of(&99_u32.to_ne_bytes()).is_some());
    }
}
