//! The planner: from what an original is and what is wanted to exactly what will be done. Pure:
//! the same input gives the same plan, on every machine.

mod admit;
mod audio;
mod budget;
mod chunks;
mod colour;
mod dolby_vision;
mod grouping;
mod hdr10;
mod hevc;
mod labels;
pub(crate) mod language;
mod outputs;
mod picture;
mod plausible;
mod programme;
mod rate;
mod requested;
mod rungs;
mod sizing;
mod sound_codec;
mod sounds;
mod subtitles;
mod timeline;
mod tracks;
mod vp9;

use std::collections::BTreeMap;

use crate::diagnose::diagnose;
use crate::media::{MediaInfo, VideoTrack};
use crate::outcome::{Reason, Rejected};
use crate::pipeline::{DamagePolicy, Pipeline};
use crate::plan::{
    Build, ChunkPlan, Decision, DecodePlan, OriginalFacts, OutputPlan, Plan, StillsPlan,
    SubtitlePlan, Timeline,
};
use crate::preset::Preset;
use audio::AudioEncodes;
use outputs::{file, hls, stills};
use picture::CommonPicture;
use requested::Requested;
use rungs::Encodes;

pub use admit::admit;
pub(crate) use audio::{codec_name, is_usable, stretched};
pub(crate) use colour::{is_hdr, is_rgb, is_wide_gamut};
pub(crate) use dolby_vision::of as dolby_vision_of;
pub(crate) use hdr10::faults as hdr10_faults;
pub(crate) use picture::{believed_crop, display_size, pixel_aspect};
pub(crate) use programme::{
    chosen as chosen_programme, dropped as dropped_programmes, named as programme_name,
};
pub(crate) use rate::{hertz, is_constant};
pub(crate) use sounds::{Sound, Sounds, sounds};
pub(crate) use timeline::{LONGEST_CUT, picture_span, sound_end};
pub use tracks::main_video;

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The original.
    pub media: &'a MediaInfo,
    /// Name of the pipeline.
    pub pipeline_name: &'a str,
    /// The pipeline, validated together with the presets.
    pub pipeline: &'a Pipeline,
    /// All presets by name.
    pub presets: &'a BTreeMap<String, Preset>,
    /// What makes the bytes.
    pub build: &'a Build,
}

/// Plans everything that will be done for one original, or says why nothing can be.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, Rejected> {
    admit(input.media, &input.pipeline.input)?;
    let programme = programme::chosen(input.media);
    plausible::refuse_impossible(&programme)?;
    plan_programme(&PlanInput { media: &programme, ..*input }, input.media)
}

/// Plans one programme of the file `whole`.
fn plan_programme(input: &PlanInput<'_>, whole: &MediaInfo) -> Result<Plan, Rejected> {
    let PlanInput { media, pipeline, .. } = *input;
    let mut decisions = Decisions::default();
    tracks::refuse_truncated(media, &pipeline.input)?;
    programme::explain(whole, &mut decisions);
    let wanted = Requested::find(pipeline, input.presets)?;
    let source = Source::choose(input, &wanted, &mut decisions)?;
    let wanted = wanted.of_source(source.video, &mut decisions);
    let timeline =
        timeline::timeline(source.video, &source.audio, &wanted, pipeline, &mut decisions)?;
    let pictures = Pictures::plan(input, &source, &timeline, &wanted, &mut decisions);
    let mut sounds = AudioEncodes::new(&timeline, media);
    let outputs = Outputs::plan(input, &source, &pictures, &wanted, &mut sounds, &mut decisions);
    let audio = sounds.list;
    if outputs.list.is_empty() {
        return Err(Rejected::new(Reason::NothingToDo, "no output can be made from its tracks"));
    }
    let mut list = outputs.list;
    list.extend(pictures.stills.clone().map(OutputPlan::Stills));
    let rate = timeline.video.as_ref().map(|grid| grid.rate);
    let video = pictures.encodes.list.iter().map(|encode| encode.encoder.as_str());
    let encoders = video.chain(audio.iter().map(|encode| encode.encoder.as_str()));
    let budget = budget::budget(&budget::Parts {
        source: &source,
        timeline: &timeline,
        video: &pictures.encodes.list,
        audio: &audio,
        chunks: &pictures.chunks,
        stills: pictures.stills.as_ref(),
    });
    Ok(Plan {
        build: input.build.of_encoders(encoders),
        pipeline: input.pipeline_name.to_owned(),
        original: original(whole, &source, &outputs.subtitles),
        decode: pictures.decode,
        video: pictures.encodes.list,
        chunks: pictures.chunks,
        audio,
        subtitles: outputs.subtitles,
        outputs: list,
        proof: pipeline.proof,
        budget,
        tolerated_damage_per_mille: tolerated_damage(pipeline, &mut decisions),
        hazards: diagnose(whole, &pipeline.input, rate, wanted.hdr_handling()),
        decisions: decisions.0,
        timeline,
    })
}

/// What becomes of high dynamic range in the outputs of a pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HdrHandling {
    /// All are BT.709.
    #[default]
    ToneMapped,
    /// All keep it, as HEVC.
    Kept,
    /// Some keep it, as HEVC; others are BT.709.
    Both,
}

impl HdrHandling {
    /// In the outputs of `pipeline`; tone mapped where its presets are not there.
    pub fn of(pipeline: &Pipeline, presets: &BTreeMap<String, Preset>) -> HdrHandling {
        Requested::find(pipeline, presets).map(|wanted| wanted.hdr_handling()).unwrap_or_default()
    }
}

/// The tracks that the outputs are made from.
struct Source<'a> {
    video: Option<&'a VideoTrack>,
    audio: Vec<Sound<'a>>,
}

impl<'a> Source<'a> {
    fn choose(
        input: &PlanInput<'a>,
        wanted: &Requested<'_>,
        decisions: &mut Decisions,
    ) -> Result<Source<'a>, Rejected> {
        let media = input.media;
        let video = tracks::video(media, &input.pipeline.input, decisions)?;
        let sounds = sounds(media, &input.pipeline.input)?;
        sounds::explain(media, &sounds, decisions);
        let audio = sounds.list;
        if video.is_none() && audio.is_empty() {
            return Err(audio::refuse_nothing(media));
        }
        let video = video.filter(|_| wanted.has_pictures());
        if video.is_none() && audio.is_empty() {
            let detail = "the pipeline makes sound only, and the file has none";
            return Err(Rejected::new(Reason::NothingToDo, detail));
        }
        Ok(Source { video, audio })
    }
}

/// Everything about pictures; empty for sound alone.
#[derive(Default)]
struct Pictures {
    decode: Option<DecodePlan>,
    encodes: Encodes,
    chunks: Vec<ChunkPlan>,
    stills: Option<StillsPlan>,
    segments: usize,
}

impl Pictures {
    fn plan(
        input: &PlanInput<'_>,
        source: &Source<'_>,
        timeline: &Timeline,
        wanted: &Requested<'_>,
        decisions: &mut Decisions,
    ) -> Pictures {
        let segments = timeline.segment_ends.len();
        let (Some(track), Some(grid)) = (source.video, &timeline.video) else {
            return Pictures { segments, ..Pictures::default() };
        };
        let PlanInput { media, pipeline, .. } = *input;
        let display = display_size(track);
        let picture = CommonPicture::new(track, wanted.hdr_handling());
        let layout = rungs::layout(display, wanted, decisions);
        let largest = layout.largest(display);
        Pictures {
            decode: Some(picture::decode_plan(
                media,
                &picture,
                largest,
                &pipeline.input,
                decisions,
            )),
            encodes: layout.encodes(&picture, grid.rate, decisions),
            chunks: chunks::chunks(media, track, grid, pipeline.chunk_seconds, decisions),
            stills: pipeline
                .thumbnails
                .as_ref()
                .map(|settings| stills::stills(display, &picture, grid, settings, decisions)),
            segments,
        }
    }
}

/// What is published besides stills.
struct Outputs {
    subtitles: Vec<SubtitlePlan>,
    list: Vec<OutputPlan>,
}

impl Outputs {
    fn plan(
        input: &PlanInput<'_>,
        source: &Source<'_>,
        pictures: &Pictures,
        wanted: &Requested<'_>,
        sounds: &mut AudioEncodes<'_>,
        decisions: &mut Decisions,
    ) -> Outputs {
        let PlanInput { media, pipeline, .. } = *input;
        let texts = wanted.ladder.is_some() && pipeline.hls.subtitles;
        let kept = subtitles::kept(media, texts, decisions);
        let (subtitles, alternatives) = subtitles::plans(media, &kept);
        let hls = wanted.ladder.map(|ladder| {
            let sources = hls::Sources {
                pipeline,
                rungs: &pictures.encodes.rungs,
                audio: &source.audio,
                preset: &ladder.audio,
                segments: pictures.segments,
            };
            hls::hls(&sources, alternatives, sounds, decisions)
        });
        let files = file::files(wanted, &pictures.encodes.files, &source.audio, sounds, decisions);
        let mut list: Vec<OutputPlan> = hls.into_iter().map(OutputPlan::Hls).collect();
        list.extend(files.into_iter().map(OutputPlan::File));
        Outputs { subtitles, list }
    }
}

/// Decisions in the order of deciding.
#[derive(Default)]
struct Decisions(Vec<Decision>);

impl Decisions {
    fn add(
        &mut self,
        about: impl Into<String>,
        choice: impl Into<String>,
        reason: impl Into<String>,
    ) {
        self.0.push(Decision { about: about.into(), choice: choice.into(), reason: reason.into() });
    }
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

fn tolerated_damage(pipeline: &Pipeline, decisions: &mut Decisions) -> Option<u32> {
    let policy = &pipeline.input;
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
