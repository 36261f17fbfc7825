//! How media are compared with a reference.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::fixture;
use vodmill_model::pipeline::InputPolicy;
use vodmill_model::planner::{MeasureInput, MeasurePlan, measure};
use vodmill_model::quality::BitDepth;
use vodmill_model::units::{Ratio, Size};
use vodmill_model::{MediaInfo, Rejected};

fn plan(reference: &MediaInfo, distorted: &[MediaInfo]) -> Result<MeasurePlan, Rejected> {
    let policy = &InputPolicy::default();
    measure(&MeasureInput { reference, distorted, grid: None, policy })
}

/// The fixture as if it were of that size.
fn resized(name: &str, width: u32, height: u32) -> MediaInfo {
    let mut media = fixture(name);
    media.video[0].coded = Size { width, height };
    media
}

#[test]
fn smaller_pictures_are_brought_to_the_size_of_the_reference() {
    let plan = plan(&fixture("plain-1080p25"), &[resized("plain-1080p25", 640, 360)]).unwrap();
    let one = &plan.distorted[0];
    assert_eq!(
        (plan.size.to_string(), one.size.to_string()),
        ("1920x1080".into(), "640x360".into())
    );
    assert_eq!(one.comparison.size, plan.size);
    let filter = &one.comparison.distorted_filter;
    assert!(filter.starts_with("scale=1920:1080:flags=bicubic"), "{filter}");
    assert!(filter.ends_with(",format=yuv420p"), "{filter}");
    assert_eq!((plan.notes.len(), one.notes.len()), (0, 0), "{one:?}");
    assert_eq!((plan.rate, one.frames), (Ratio::new(25, 1), plan.chunk.frames));
}

#[test]
fn an_anamorphic_interlaced_original_is_compared_as_it_is_displayed() {
    let pal = fixture("pal-anamorphic-interlaced");
    let plan = plan(&pal, &[resized("plain-1080p25", 1024, 576)]).unwrap();
    assert_eq!(plan.size.height, 576);
    assert!(plan.size.width > 1000, "{}", plan.size);
    assert!(plan.decode.field_filter.starts_with("bwdif"), "{:?}", plan.decode);
    assert!(plan.distorted[0].decode.field_filter.is_empty());
    let shape = |note: &&String| note.contains("stretched");
    assert_eq!(plan.distorted[0].notes.iter().find(shape), None);
}

#[test]
fn a_turned_original_is_compared_upright() {
    let phone = fixture("portrait-phone");
    let plan = plan(&phone, &[phone.clone(), resized("plain-1080p25", 640, 360)]).unwrap();
    assert!(plan.size.height > plan.size.width, "{}", plan.size);
    assert!(plan.decode.picture_filter.contains("transpose"), "{:?}", plan.decode);
    assert_eq!(plan.distorted[0].notes, Vec::<String>::new());
    assert!(plan.distorted[1].notes.iter().any(|note| note.contains("stretched")));
}

#[test]
fn ten_bits_on_either_side_are_compared_in_ten() {
    let eight = fixture("plain-1080p25");
    let mut ten = eight.clone();
    ten.video[0].bit_depth = 10;
    let depths = |reference: &MediaInfo, distorted: &[MediaInfo]| {
        let plan = plan(reference, distorted).unwrap();
        plan.distorted.iter().map(|one| one.comparison.depth).collect::<Vec<_>>()
    };
    assert_eq!(depths(&eight, std::slice::from_ref(&eight)), [BitDepth::Eight]);
    assert_eq!(depths(&eight, &[eight.clone(), ten.clone()]), [BitDepth::Ten; 2]);
    assert_eq!(depths(&ten, std::slice::from_ref(&eight)), [BitDepth::Ten]);
}

#[test]
fn high_dynamic_range_is_compared_with_its_like() {
    let (hdr, sdr) = (fixture("hdr-pq-2160p"), resized("plain-1080p25", 3840, 2160));
    let both = plan(&hdr, &[hdr.clone(), sdr.clone()]).unwrap();
    let [kept, mapped] = &both.distorted[..] else { panic!("{both:?}") };
    assert!(!kept.comparison.reference_filter.contains("tonemap"), "{kept:?}");
    assert!(mapped.comparison.reference_filter.contains("tonemap"), "{mapped:?}");
    assert!(both.notes[0].contains("made for 1920x1080"), "{:?}", both.notes);
    let reverse = plan(&sdr, &[hdr]).unwrap();
    assert!(reverse.distorted[0].decode.picture_filter.contains("tonemap"));
    assert!(!reverse.decode.picture_filter.contains("tonemap"));
}

#[test]
fn a_matrix_that_all_share_is_kept() {
    let with = |matrix: &str| {
        let mut media = resized("plain-1080p25", 640, 360);
        media.video[0].colour.matrix = matrix.to_owned();
        media
    };
    let (sd, hd) = (with("smpte170m"), with("bt709"));
    let out = |reference: &MediaInfo, distorted: &[MediaInfo]| {
        let plan = plan(reference, distorted).unwrap();
        let filters = plan.distorted.iter().flat_map(|one| {
            [one.comparison.reference_filter.clone(), one.comparison.distorted_filter.clone()]
        });
        let matrix = |filter: String| {
            let (_, after) = filter.split_once("out_color_matrix=").unwrap();
            after.split(':').next().unwrap().to_owned()
        };
        filters.map(matrix).collect::<Vec<_>>()
    };
    assert_eq!(out(&sd, &[sd.clone(), with("bt470bg")]), ["bt601"; 4]);
    assert_eq!(out(&sd, &[sd.clone(), hd.clone()]), ["bt709"; 4], "one scale for all");
    assert_eq!(out(&hd, &[sd]), ["bt709"; 2]);
    let shown = plan(&with("smpte170m"), &[with("smpte170m")]).unwrap().distorted[0].shown.clone();
    assert!(
        shown
            .distorted_filter
            .contains(":in_color_matrix=bt601:in_range=tv:out_color_matrix=bt601:out_range=pc"),
        "{shown:?}"
    );
}

#[test]
fn lengths_and_rates_that_differ_are_said() {
    let reference = fixture("plain-1080p25");
    let mut short = reference.clone();
    let track = &mut short.video[0];
    let ten_frames = 10 * track.gaps.median;
    track.last -= ten_frames;
    track.packets -= 10;
    let plan = plan(&reference, &[short, fixture("film-23.976")]).unwrap();
    assert_eq!(plan.distorted[0].frames, plan.chunk.frames - 10);
    let notes = plan.distorted[0].notes.join("; ");
    assert!(notes.contains(" are compared"), "{notes}");
    let notes = plan.distorted[1].notes.join("; ");
    assert!(notes.contains("23.976 fps, the reference is shown at 25 fps"), "{notes}");
}

#[test]
fn a_package_has_the_grid_that_it_was_made_on() {
    let (reference, policy) = (fixture("plain-1080p25"), InputPolicy::default());
    let grid = Some((Ratio::new(25, 2), 100));
    let distorted = std::slice::from_ref(&reference);
    let input = MeasureInput { reference: &reference, distorted, grid, policy: &policy };
    let plan = measure(&input).unwrap();
    assert_eq!((plan.rate, plan.chunk.frames), (Ratio::new(25, 2), 100));
    assert_eq!(plan.distorted[0].frames, 100);
}

#[test]
fn a_package_of_another_length_than_the_reference_is_said() {
    let (reference, policy) = (fixture("plain-1080p25"), InputPolicy::default());
    let own = plan(&reference, std::slice::from_ref(&reference)).unwrap();
    let notes = |frames: u64| {
        let grid = Some((own.rate, frames));
        let distorted = std::slice::from_ref(&reference);
        let input = MeasureInput { reference: &reference, distorted, grid, policy: &policy };
        measure(&input).unwrap().notes.join("; ")
    };
    assert_eq!((notes(own.chunk.frames), notes(own.chunk.frames - 1)), Default::default());
    let shorter = notes(own.chunk.frames - 50);
    assert!(shorter.contains("is it made of another original?"), "{shorter}");
}

#[test]
fn sound_alone_is_refused() {
    let refused = plan(&fixture("plain-1080p25"), &[fixture("audio-only")]).unwrap_err();
    assert!(refused.to_string().contains("no pictures"), "{refused}");
}
