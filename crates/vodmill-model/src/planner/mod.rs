//! The planner: from what an original is and what is wanted to exactly what will be done. Pure:
//! the same input gives the same plan, on every machine.

mod admit;
mod audio;
mod av1;
mod budget;
mod chunks;
mod colour;
mod compare;
mod decisions;
pub mod diagnose;
mod dolby_vision;
mod grouping;
mod h264;
mod hdr10;
mod hevc;
mod labels;
pub(crate) mod language;
mod measure;
mod outputs;
mod picture;
mod pictures;
mod plausible;
mod programme;
mod rate;
mod requested;
mod rungs;
mod sizing;
mod sound_codec;
mod sounds;
mod source;
mod source_bytes;
mod speeds;
mod subtitles;
mod timeline;
mod title;
mod tracks;
mod vp9;

use std::borrow::Cow;

use crate::analysis::{Analysis, AnalysisPlan};
use crate::media::MediaInfo;
use crate::outcome::{Reason, Rejected};
use crate::pipeline::{DamagePolicy, InputPolicy};
use crate::plan::{Build, OriginalFacts, OutputPlan, Plan, SubtitlePlan, Timeline};
use crate::spec::JobSpec;
use decisions::Decisions;
use diagnose::diagnose;
use outputs::Material;
use pictures::Pictures;
use requested::Requested;
use source::Source;

pub use admit::admit;
pub use colour::HdrHandling;
pub use compare::{ShownPictures, compare_encode, compared_size};
pub use measure::{
    DistortedPlan, MeasureInput, MeasurePlan, admit_to_measure, measure, seek_of_frame,
};
pub use tracks::main_video;

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The original.
    pub media: &'a MediaInfo,
    /// What is wanted of it.
    pub spec: &'a JobSpec,
    /// What came of the [`AnalysisPlan`] for it, where there is one.
    pub analysis: Option<&'a Analysis>,
    /// What makes the bytes.
    pub build: &'a Build,
}

/// Plans everything that will be done for one original, or says why nothing can be.
///
/// # Errors
/// [`Rejected`] with the reason.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, Rejected> {
    let programme = programme(input)?;
    plan_programme(&PlanInput { media: &programme, ..*input }, input.media)
}

/// What is to be tried of an original before it is planned; nothing where no quality is asked for, or
/// where the pictures are not worth it.
///
/// # Errors
/// [`Rejected`] with the reason, as [`plan`] would.
pub fn analysis_plan(input: &PlanInput<'_>) -> Result<Option<AnalysisPlan>, Rejected> {
    let programme = programme(input)?;
    let mut decisions = Decisions::default();
    let spec = &speeds::choose(input.spec, &programme, &mut decisions);
    let input = PlanInput { media: &programme, spec, analysis: None, ..*input };
    let arranged = Arranged::of(&input, input.media, &mut decisions)?;
    let Arranged { requested, source, timeline, pictures } = &arranged;
    Ok(title::analysis_plan(input.media, source, timeline, requested, pictures))
}

fn programme<'a>(input: &PlanInput<'a>) -> Result<Cow<'a, MediaInfo>, Rejected> {
    admit(input.media, &input.spec.input()?.policy)?;
    let programme = programme::chosen(input.media);
    plausible::refuse_impossible(&programme)?;
    Ok(programme)
}

/// What is decided about an original before anything about single outputs.
struct Arranged<'a> {
    requested: Requested<'a>,
    source: Source<'a>,
    timeline: Timeline,
    pictures: Pictures<'a>,
}

impl<'a> Arranged<'a> {
    /// Of one programme of the file `whole`.
    fn of(
        input: &PlanInput<'a>,
        whole: &MediaInfo,
        decisions: &mut Decisions,
    ) -> Result<Arranged<'a>, Rejected> {
        let PlanInput { media, spec, analysis, .. } = *input;
        let requested = Requested::of(spec)?;
        tracks::refuse_truncated(media, requested.policy)?;
        programme::explain(whole, decisions);
        let source = Source::choose(media, &requested, decisions)?;
        let requested = requested.of_source(source.video, decisions);
        let timeline = timeline::timeline(&source, &requested, decisions)?;
        let pictures = Pictures::plan(media, &source, &timeline, &requested, analysis, decisions);
        Ok(Arranged { requested, source, timeline, pictures })
    }
}

/// Plans one programme of the file `whole`.
fn plan_programme(input: &PlanInput<'_>, whole: &MediaInfo) -> Result<Plan, Rejected> {
    let PlanInput { media, spec, build, .. } = *input;
    let mut decisions = Decisions::default();
    let spec = &speeds::choose(spec, media, &mut decisions);
    let arranged = Arranged::of(&PlanInput { spec, ..*input }, whole, &mut decisions)?;
    let Arranged { requested, source, timeline, pictures } = arranged;
    let material = Material {
        media,
        requested: &requested,
        source: &source,
        pictures: &pictures,
        timeline: &timeline,
    };
    let made = outputs::plan(&material, &mut decisions);
    if made.outputs.iter().all(|output| matches!(output, OutputPlan::Stills(_))) {
        return Err(Rejected::new(Reason::NothingToDo, "no output can be made from its tracks"));
    }
    let budget = budget::budget(&material, &made);
    let rate = timeline.video.as_ref().map(|grid| grid.rate);
    let hazards = diagnose(whole, requested.policy, rate, requested.hdr_handling());
    let video = pictures.encodes.list.iter().map(|encode| encode.encoder.as_str());
    let encoders = video.chain(made.audio.iter().map(|encode| encode.encoder.as_str()));
    Ok(Plan {
        build: build.of_encoders(encoders),
        pipeline: spec.pipeline.clone(),
        original: original(whole, &source, &made.subtitles),
        tolerated_damage_per_mille: tolerated_damage(requested.policy, &mut decisions),
        decode: pictures.decode,
        video: pictures.encodes.list,
        chunks: pictures.chunks,
        quality: pictures.quality,
        audio: made.audio,
        subtitles: made.subtitles,
        outputs: made.outputs,
        proof: spec.proof,
        budget,
        hazards,
        decisions: decisions.list(),
        timeline,
    })
}

/// `number` of what `noun` names, for people.
fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `stem`, or the first of `stem-2`, `stem-3`, … that is not taken.
fn unique(stem: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut name = stem.to_owned();
    let mut next = 2;
    while taken(&name) {
        name = format!("{stem}-{next}");
        next += 1;
    }
    name
}

fn original(media: &MediaInfo, source: &Source<'_>, subtitles: &[SubtitlePlan]) -> OriginalFacts {
    OriginalFacts {
        bytes: media.bytes,
        sha256: media.sha256.clone(),
        container: media.container.clone(),
        pictures: source.video.and_then(|track| {
            track.pictures.map(|pictures| pictures.saturating_sub(track.before_first_key))
        }),
        tracks: tracks::facts(media, |index| {
            source.video.is_some_and(|track| track.index == index)
                || source.audio.iter().any(|sound| sound.is_of(index))
                || subtitles.iter().any(|subtitle| subtitle.track == index)
        }),
    }
}

fn tolerated_damage(policy: &InputPolicy, decisions: &mut Decisions) -> Option<u32> {
    let (tolerated, choice) = match policy.damage {
        DamagePolicy::Refuse => {
            let share = policy.damaged_per_mille;
            (Some(share), format!("concealed up to {share} frames in a thousand, then refused"))
        }
        DamagePolicy::Repair => (None, "concealed, however much".to_owned()),
    };
    decisions.add("damage", choice, "the pipeline's way");
    tolerated
}
