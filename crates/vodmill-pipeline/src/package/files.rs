//! Files for download.

use vodmill_model::MediaError;
use vodmill_model::plan::FilePlan;
use vodmill_model::transcode::{FileOrder, FileSound, Media, StreamKind};

use super::PackageContext;
use super::codecs::{codec_of, range_of};
use crate::receipt::Mp4Fact;

pub(super) fn make(context: &PackageContext<'_>) -> Result<Vec<Mp4Fact>, MediaError> {
    context.plan.files().map(|plan| make_one(context, plan)).collect()
}

fn make_one(context: &PackageContext<'_>, plan: &FilePlan) -> Result<Mp4Fact, MediaError> {
    let path = context.tree.place(&plan.object)?;
    let audio = plan.audio.iter().map(|track| {
        let path = context.input.audio_input(&track.audio)?;
        Ok(FileSound { path, language: track.language.clone(), roles: track.roles.clone() })
    });
    context.transcode.write_file(&FileOrder {
        container: plan.container,
        video: plan
            .video
            .as_deref()
            .map(|id| context.input.video_input(id, &context.plan.chunks))
            .transpose()?,
        audio: audio.collect::<Result<_, MediaError>>()?,
        path: path.clone(),
    })?;
    context.tree.adopt(&plan.object)?;
    let inspection = context.transcode.inspect(Media::File(&path))?;
    let mut codecs = inspection.streams.iter().map(codec_of).collect::<Result<Vec<_>, _>>()?;
    codecs.dedup();
    let is_audio = |kind| kind == StreamKind::Audio;
    Ok(Mp4Fact {
        name: plan.object.clone(),
        container: plan.container,
        codecs,
        size: inspection.streams.iter().find_map(|stream| stream.size),
        range: range_of(&inspection.streams)?,
        audio_tracks: inspection.streams.iter().filter(|stream| is_audio(stream.kind)).count()
            as u32,
    })
}
