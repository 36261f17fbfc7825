//! How good the pictures of each rung are: as predicted, and as measured.

use vodmill_model::asset::Repair;
use vodmill_model::plan::{HlsPlan, QualityPlan};
use vodmill_model::quality::{Quality, Score};
use vodmill_model::receipt::{HlsFact, RungQuality};

use super::Hls;
use crate::package::PackageContext;

/// What the receipt says of it; nothing where quality is fixed.
pub(super) fn of(context: &PackageContext<'_>, plan: &HlsPlan, hls: &Hls) -> Vec<RungQuality> {
    let Some(chosen) = &context.plan.quality else { return Vec::new() };
    let mut rungs = Vec::new();
    for (variant, made) in plan.variants.iter().zip(&hls.variants) {
        let Some(encode) = &variant.video else { continue };
        let measured = context.order.measured.get(encode);
        rungs.push(RungQuality {
            playlist: made.stream.fact.name.clone(),
            predicted: chosen.expected_of(encode),
            measured: measured.and_then(|scores| Quality::of(scores)),
        });
    }
    rungs
}

/// Rungs that came out worse than they were planned, which stops nothing.
pub(super) fn doubts(fact: &HlsFact) -> Vec<Repair> {
    fact.quality.iter().filter_map(doubt).collect()
}

fn doubt(rung: &RungQuality) -> Option<Repair> {
    let (predicted, measured) = (rung.predicted?, rung.measured?.mean);
    let missing = predicted.thousandths().saturating_sub(measured.thousandths());
    let missing = Score::from_thousandths(missing);
    (missing > QualityPlan::FAR_APART).then(|| Repair {
        code: "quality_below_prediction".to_owned(),
        detail: format!("{}: VMAF {measured}, and {predicted} was expected", rung.playlist),
        remedy: "Published as it is; a higher `quality` in the ladder makes up for it.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use vodmill_model::quality::{FrameScore, Ssim};

    use super::*;

    fn rung(predicted: u32, measured: u32) -> RungQuality {
        let vmaf = Score::from_thousandths(measured);
        let frame = FrameScore { frame: 0, vmaf, neg: None, ssim: Ssim::MAX };
        RungQuality {
            playlist: "hls/high/index.m3u8".to_owned(),
            predicted: Some(Score::from_thousandths(predicted)),
            measured: Quality::of(&[frame]),
        }
    }

    #[test]
    fn only_what_is_far_below_is_told() {
        assert_eq!(doubt(&rung(95_000, 93_500)), None);
        assert_eq!(doubt(&rung(95_000, 99_000)), None, "better is no loss");
        let told = doubt(&rung(95_000, 93_499)).expect("a warning");
        assert_eq!(told.detail, "hls/high/index.m3u8: VMAF 93.499, and 95.000 was expected");
        assert_eq!(doubt(&RungQuality { measured: None, ..rung(95_000, 0) }), None);
    }
}
