//! Checks of what pictures of a ladder are to look like.

use super::Report;
use crate::preset::{Ladder, QualityTarget, Rung, VideoCodec};

/// The scores that can be asked for: below, every eye sees it; above, none sees a gain.
const SCORES: std::ops::RangeInclusive<u8> = 70..=99;

/// Checks a target for `ladder` that stands at `path`.
pub(super) fn check(target: QualityTarget, ladder: &Ladder, path: &str, report: &mut Report<'_>) {
    let QualityTarget::Vmaf(score) = target else { return };
    let message = format!(
        "{score} is out of range: set it to {} to {}, or to \"fixed\"",
        SCORES.start(),
        SCORES.end()
    );
    report.expect(SCORES.contains(&score), path, message);
    let message = "a score needs codec = \"h264\" in its ladder: the model of a title is x264's; set \
                   quality = \"fixed\"";
    report.expect(ladder.video.codec == VideoCodec::H264, path, message);
    for rung in ladder.rungs.iter().filter(|rung| is_by_rate(rung)) {
        let message = format!(
            "rung {} has `bitrate`, which no title can change: give it `crf`, or set \
             quality = \"fixed\"",
            rung.name
        );
        report.add(path, message);
    }
}

fn is_by_rate(rung: &Rung) -> bool {
    rung.target.bitrate.is_some()
}
