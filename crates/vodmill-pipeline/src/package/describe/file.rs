//! What is said of a file that is played as a whole.

use vodmill_model::asset::FileOutput;
use vodmill_model::preset::FileContainer;

use super::path;
use crate::package::PackageContext;
use crate::receipt::{Mp4Fact, Receipt};

pub(super) fn of(context: &PackageContext<'_>, receipt: &Receipt, fact: &Mp4Fact) -> FileOutput {
    let object = receipt.objects.iter().find(|object| object.name == fact.name);
    let bytes = object.map(|object| object.bytes).unwrap_or_default();
    let ticks = receipt.duration.0.max(1).unsigned_abs();
    let bitrate = u128::from(bytes) * 8 * 90_000 / u128::from(ticks);
    let plan = context.plan.files().find(|plan| plan.object == fact.name);
    let container = plan.map_or(FileContainer::Mp4, |plan| plan.container);
    FileOutput {
        container: container.as_str().to_owned(),
        name: plan.map(|plan| plan.name.clone()),
        path: path(context, &fact.name),
        bytes,
        bitrate: u64::try_from(bitrate).unwrap_or(u64::MAX),
        sha256: object.map(|object| object.sha256.clone()),
        width: fact.size.map(|size| size.width),
        height: fact.size.map(|size| size.height),
        codecs: fact.codecs.clone(),
        audio_tracks: fact.audio_tracks,
        encode: plan.and_then(|plan| plan.video.clone()),
        video_range: fact.range,
    }
}
