//! What containers and codecs say of how pictures are to be shown, beside size and colours.

use super::super::{dolby_vision, picture};
use super::Found;
use crate::hazard::HazardCode;
use crate::media::{DolbyVision, VideoTrack};

pub(super) fn meaning(track: &VideoTrack, found: &mut Found) {
    cropping(track, found);
    if let Some(vision) = dolby_vision::of(track) {
        dolby_vision(vision, found);
    }
    if track.dynamic_hdr {
        let detail = "its light is described picture by picture (HDR10+ or HDR Vivid)";
        let remedy = "left out; what is said of the whole programme stays";
        found.add(HazardCode::DynamicHdr, detail, remedy);
    }
    if let Some(projection) = &track.projection {
        let detail = format!("the picture is spherical ({projection})");
        let remedy = "published flat, as it is stored; players are not told of it";
        found.repair(HazardCode::Spherical, detail, remedy);
    }
    if let Some(packing) = &track.stereo {
        let detail = format!("there are two views, for two eyes ({packing})");
        let remedy = "published as it is stored; players are not told of it";
        found.repair(HazardCode::Stereo3d, detail, remedy);
    }
}

fn cropping(track: &VideoTrack, found: &mut Found) {
    let Some(said) = track.crop else { return };
    let detail = format!(
        "the container cuts {} left, {} right, {} top, {} bottom off {}",
        said.left, said.right, said.top, said.bottom, track.coded
    );
    match picture::believed_crop(track) {
        Some(_) => found.add(HazardCode::Cropped, detail, "the rest is published"),
        None => found.add(HazardCode::WrongCropping, detail, "not believed, nothing is cut off"),
    }
}

fn dolby_vision(vision: &DolbyVision, found: &mut Found) {
    let DolbyVision { profile, compatibility, .. } = vision;
    let detail = format!("Dolby Vision of profile {profile}.{compatibility}");
    let remedy = "its base layer is published; enhancement and metadata are left out";
    found.add(HazardCode::DolbyVision, detail, remedy);
}

/// Pictures before the first one that can be decoded by itself.
pub(super) fn start(track: &VideoTrack, found: &mut Found) {
    if track.before_first_key == 0 {
        return;
    }
    let all = track.pictures.unwrap_or(track.packets);
    let detail = format!(
        "{} of {all} pictures come before the first that can be decoded by itself",
        track.before_first_key
    );
    let remedy = "the first picture that can be decoded stands in their place";
    found.repair(HazardCode::UndecodableStart, detail, remedy);
}
