//! The quality of what was encoded, beside the clip, at its size.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use vodmill_av::{Libav, quality};
use vodmill_model::plan::{ChunkPlan, VideoEncode};
use vodmill_model::planner::{HdrHandling, compare_encode, compared_size};
use vodmill_model::quality::{Quality, Subsample};
use vodmill_model::transcode::{
    DistortedMedia, DistortedOrder, MeasureOrder, ProbeOrder, Progress,
};
use vodmill_model::{Plan, Size, Transcode as _, VideoTrack};
use vodmill_pipeline::Made;
use vodmill_regress::baseline::{Meter, Quality as Found, Stream};

/// Every how many frames one is scored.
const SUBSAMPLE: Subsample = Subsample::Fifth;

/// How quality is measured; none where this program cannot.
pub fn meter() -> Option<Meter> {
    let every = SUBSAMPLE.step();
    quality::available().then(|| Meter { model: "vmaf_v0.6.1".to_owned(), every })
}

/// Adds the quality of each stream with pictures. Streams of one encode have the same.
pub fn add(
    original: &Path,
    made: &Made,
    streams: &mut BTreeMap<String, Stream>,
) -> anyhow::Result<()> {
    if meter().is_none() {
        return Ok(());
    }
    let qualities = measure(original, made).context("measure quality")?;
    let hls = made.plan.hls().into_iter().flat_map(|hls| &hls.variants);
    let variants = hls.map(|variant| (variant.prefix.as_str(), &variant.video));
    let files = made
        .plan
        .files()
        .map(|file| (file.object.strip_prefix("private/").unwrap_or(&file.object), &file.video));
    for (name, encode) in variants.chain(files) {
        let quality = encode.as_ref().and_then(|encode| qualities.get(encode));
        if let (Some(stream), Some(quality)) = (streams.get_mut(name), quality) {
            let Quality { mean, p5, ssim, .. } = *quality;
            stream.quality = Some(Found { vmaf: mean, p5, ssim, slope: None });
        }
    }
    Ok(())
}

/// The quality of each encode, by its id; none of sound alone and of what is too small for VMAF.
fn measure(original: &Path, made: &Made) -> anyhow::Result<BTreeMap<String, Quality>> {
    let plan = &made.plan;
    let (Some(decode), Some(grid), Some(first)) =
        (&plan.decode, &plan.timeline.video, plan.chunks.first())
    else {
        return Ok(BTreeMap::new());
    };
    let order = ProbeOrder { original: original.to_owned(), max_pixels: decode.max_pixels };
    let media = Libav.probe(&order, &|_: Progress| {})?;
    let track = media.video.iter().find(|track| track.index == decode.track);
    let track = track.context("the track of the pictures is gone")?;
    let size = compared_size(track);
    let bounds = quality::LEAST_SIDE..=quality::GREATEST_SIDE;
    if !bounds.contains(&size.width) || !bounds.contains(&size.height) {
        return Ok(BTreeMap::new());
    }
    let chunk = ChunkPlan { frames: grid.frames, ..first.clone() };
    let order = MeasureOrder {
        original: original.to_owned(),
        decode: decode.clone(),
        rate: grid.rate,
        chunk,
        last: true,
        distorted: plan.video.iter().map(|encode| distorted(encode, made, track, size)).collect(),
        subsample: SUBSAMPLE,
        neg: false,
    };
    let measured = Libav.measure(&order, &|_: Progress| {})?.distorted.into_iter();
    Ok(measured.filter_map(|one| Some((one.id, Quality::of(&one.scores)?))).collect())
}

fn distorted(encode: &VideoEncode, made: &Made, track: &VideoTrack, size: Size) -> DistortedOrder {
    DistortedOrder {
        id: encode.id.clone(),
        media: DistortedMedia::Renditions(
            made.renditions.get(&encode.id).cloned().unwrap_or_default(),
        ),
        comparison: compare_encode(track, handling(&made.plan), encode, size),
    }
}

/// What a plan does with high dynamic range, by what its encoders are told.
fn handling(plan: &Plan) -> HdrHandling {
    let keeps = |encode: &VideoEncode| {
        encode.options.get("colorspace").is_some_and(|matrix| matrix == "bt2020nc")
    };
    let kept = plan.video.iter().filter(|encode| keeps(encode)).count();
    match kept {
        0 => HdrHandling::ToneMapped,
        all if all == plan.video.len() => HdrHandling::Kept,
        _ => HdrHandling::Both,
    }
}
