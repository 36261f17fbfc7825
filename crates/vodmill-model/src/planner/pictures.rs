//! Everything about pictures: how they are decoded, encoded and cut into chunks.

use super::picture::{self, CommonPicture, display_size};
use super::requested::Requested;
use super::rungs::{self, Encodes};
use super::source::Source;
use super::title::{self, FittedLadder, Title};
use super::{Decisions, chunks};
use crate::analysis::Analysis;
use crate::media::MediaInfo;
use crate::plan::{ChunkPlan, DecodePlan, QualityPlan, Timeline};

/// Everything about pictures; empty for sound alone.
#[derive(Default)]
pub(super) struct Pictures<'a> {
    /// What outputs take their pictures from.
    pub common: Option<CommonPicture<'a>>,
    pub decode: Option<DecodePlan>,
    pub encodes: Encodes,
    pub quality: Option<QualityPlan>,
    pub chunks: Vec<ChunkPlan>,
}

impl<'a> Pictures<'a> {
    pub fn plan(
        media: &MediaInfo,
        source: &Source<'a>,
        timeline: &Timeline,
        requested: &Requested<'_>,
        analysis: Option<&Analysis>,
        decisions: &mut Decisions,
    ) -> Pictures<'a> {
        let (Some(track), Some(grid)) = (source.video, &timeline.video) else {
            return Pictures::default();
        };
        let display = display_size(track);
        let common = CommonPicture::new(track, requested.hdr_handling());
        let fitted = rungs::fit_outputs(display, requested, decisions);
        let largest = fitted.largest(display);
        let decode = picture::decode_plan(media, &common, largest, requested.policy, decisions);
        let title = Title { media, track, timeline, grid, decode: &decode };
        let ladder = FittedLadder { outputs: &fitted, picture: &common, rate: grid.rate };
        let (encodes, quality) = title::fit(&title, requested, analysis, &ladder, decisions);
        encodes.explain(decisions);
        let chunks = chunks::chunks(media, track, grid, requested.spec.chunk_seconds, decisions);
        Pictures { common: Some(common), decode: Some(decode), encodes, quality, chunks }
    }
}
