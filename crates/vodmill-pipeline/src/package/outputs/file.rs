//! Files for download.

use vodmill_model::asset::{FileOutput, Output};
use vodmill_model::plan::FilePlan;
use vodmill_model::receipt::{FileFact, ObjectFact, OutputFact};
use vodmill_model::transcode::{FileOrder, FileSound, Media, StreamKind};
use vodmill_model::{MediaError, Plan};

use super::MadeOutput;
use crate::generation::{codec_of, range_of};
use crate::package::{PackageContext, path};

pub(super) fn make(
    context: &PackageContext<'_>,
    plan: &FilePlan,
) -> Result<MadeOutput, MediaError> {
    let object = match context.tree.object(&plan.object) {
        Some(same) => same,
        None => {
            write(context, plan)?;
            context.tree.adopt(&plan.object)?
        }
    };
    let fact = inspect(context, plan)?;
    let described = describe(context, plan, &fact, object);
    Ok(MadeOutput::new(OutputFact::File(fact), Output::File(described)))
}

fn write(context: &PackageContext<'_>, plan: &FilePlan) -> Result<(), MediaError> {
    let input = context.input;
    let video = plan.video.as_deref().map(|id| input.video_input(id, &context.plan.chunks));
    let audio = plan.audio.iter().map(|track| {
        let path = input.audio_input(&track.audio)?;
        Ok(FileSound { path, language: track.language.clone(), roles: track.roles.clone() })
    });
    context.transcode.write_file(&FileOrder {
        container: plan.container,
        video: video.transpose()?,
        audio: audio.collect::<Result<_, MediaError>>()?,
        path: context.tree.place(&plan.object)?,
    })
}

/// What players will find in it.
fn inspect(context: &PackageContext<'_>, plan: &FilePlan) -> Result<FileFact, MediaError> {
    let path = context.tree.place(&plan.object)?;
    let streams = context.transcode.inspect(Media::File(&path))?.streams;
    let mut codecs = streams.iter().map(codec_of).collect::<Result<Vec<_>, _>>()?;
    codecs.dedup();
    let sounds = streams.iter().filter(|stream| stream.kind == StreamKind::Audio);
    Ok(FileFact {
        name: plan.object.clone(),
        container: plan.container,
        codecs,
        size: streams.iter().find_map(|stream| stream.size),
        range: range_of(&streams)?,
        audio_tracks: sounds.count() as u32,
    })
}

fn describe(
    context: &PackageContext<'_>,
    plan: &FilePlan,
    fact: &FileFact,
    object: ObjectFact,
) -> FileOutput {
    let bytes = object.bytes;
    let ticks = context.plan.timeline.duration.0.max(1).unsigned_abs();
    let bitrate = u128::from(bytes) * 8 * 90_000 / u128::from(ticks);
    FileOutput {
        container: plan.container.as_str().to_owned(),
        name: Some(plan.name.clone()),
        path: path(context, &fact.name),
        bytes,
        bitrate: u64::try_from(bitrate).unwrap_or(u64::MAX),
        sha256: Some(object.sha256),
        width: fact.size.map(|size| size.width),
        height: fact.size.map(|size| size.height),
        codecs: fact.codecs.clone(),
        audio_tracks: fact.audio_tracks,
        encode: plan.video.clone(),
        video_range: fact.range,
    }
}

/// Digests of the renditions that it is made from.
pub(super) fn renditions(plan: &Plan, file: &FilePlan) -> Vec<String> {
    let mut digests = Vec::new();
    if let Some(encode) = file.video.as_deref().and_then(|id| plan.video_encode(id)) {
        digests.extend(plan.chunks.iter().map(|chunk| plan.video_rendition(encode, chunk)));
    }
    let audio = file.audio.iter().filter_map(|track| plan.audio_encode(&track.audio));
    digests.extend(audio.map(|encode| plan.audio_rendition(encode)));
    digests
}
