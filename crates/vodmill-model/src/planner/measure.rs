//! How finished media, of ours or of others, are compared with a reference: by frame number on the
//! reference's grid, at its displayed size, converted as a player would.

use std::borrow::Cow;

use super::colour::{self, ColourForm, DELIVERY, HdrHandling};
use super::compare::{ShownPictures, compared_size, of_tracks, picture_depth, shown};
use super::picture::{self, CommonPicture};
use super::rate::hertz;
use super::timeline::{frames_in, picture_span};
use super::{Decisions, admit, chunks, programme, rate, tracks};
use crate::media::{MediaInfo, SeekPoint, VideoTrack};
use crate::outcome::{Reason, Rejected};
use crate::pipeline::InputPolicy;
use crate::plan::{ChunkPlan, DecodePlan};
use crate::quality::BitDepth;
use crate::transcode::Comparison;
use crate::units::{Frames, Ratio, Size};

/// The highest rate of a grid that is not given.
const HIGHEST_RATE: u32 = 240;

/// The size that VMAF's model is made for.
const MODEL_SIZE: Size = Size { width: 1920, height: 1080 };

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct MeasureInput<'a> {
    /// The reference.
    pub reference: &'a MediaInfo,
    /// What is compared with it.
    pub distorted: &'a [MediaInfo],
    /// Rate and frames of the grid that all of these were made on; none to take the reference's.
    pub grid: Option<(Ratio, Frames)>,
    /// What is accepted of all.
    pub policy: &'a InputPolicy,
}

/// How it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasurePlan {
    /// How the reference is decoded.
    pub decode: DecodePlan,
    /// Frames per second of the grid.
    pub rate: Ratio,
    /// The whole grid.
    pub chunk: ChunkPlan,
    /// The size at which pictures are compared.
    pub size: Size,
    /// What to know of all scores.
    pub notes: Vec<String>,
    /// What is compared, in the order of the input.
    pub distorted: Vec<DistortedPlan>,
}

/// How one of them is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistortedPlan {
    /// How it is decoded.
    pub decode: DecodePlan,
    /// Where to begin.
    pub seek: SeekPoint,
    /// How its pictures are compared.
    pub comparison: Comparison,
    /// How its pictures are shown to people.
    pub shown: ShownPictures,
    /// Frames of the grid, from the first, that both it and the reference have pictures for.
    pub frames: Frames,
    /// Displayed size of its pictures.
    pub size: Size,
    /// libav's name of its codec.
    pub codec: String,
    /// What to know of its scores.
    pub notes: Vec<String>,
}

/// Plans a comparison.
///
/// # Errors
/// [`Rejected`] where one of them cannot be decoded or has no pictures.
pub fn measure(input: &MeasureInput<'_>) -> Result<MeasurePlan, Rejected> {
    let reference = Film::of(input.reference, input.policy)?;
    let films: Result<Vec<Film<'_>>, Rejected> =
        input.distorted.iter().map(|media| Film::of(media, input.policy)).collect();
    let films = films?;
    let track = reference.track();
    let grid = input.grid.unwrap_or_else(|| own_grid(track, input.policy));
    let size = compared_size(track);
    let common = CommonPicture::new(track, handling(track, &films));
    let plan = |film: &Film<'_>| distorted(film, track, &common, &films, grid, size, input.policy);
    Ok(MeasurePlan {
        decode: decode(&reference, &common, size, input.policy),
        rate: grid.0,
        chunk: ChunkPlan {
            index: 0,
            input: 0,
            first_frame: 0,
            frames: grid.1,
            seek: chunks::seek(track, grid.0, 0),
            source_bytes: 0,
        },
        size,
        notes: notes_on_reference(size, own_grid(track, input.policy), grid),
        distorted: films.iter().map(plan).collect(),
    })
}

/// Refuses what cannot be compared.
///
/// # Errors
/// [`Rejected`] where it cannot be decoded or has no pictures.
pub fn admit_to_measure(media: &MediaInfo, policy: &InputPolicy) -> Result<(), Rejected> {
    Film::of(media, policy).map(|_| ())
}

/// Where to begin decoding for one frame of the grid alone.
pub fn seek_of_frame(media: &MediaInfo, rate: Ratio, frame: Frames) -> SeekPoint {
    let media = programme::chosen(media);
    let begin = SeekPoint { pts: 0, packet: 0 };
    tracks::main_video(&media).map_or(begin, |track| chunks::seek(track, rate, frame))
}

/// A medium and the track of its film.
struct Film<'a> {
    media: Cow<'a, MediaInfo>,
    index: usize,
}

impl<'a> Film<'a> {
    fn of(media: &'a MediaInfo, policy: &InputPolicy) -> Result<Film<'a>, Rejected> {
        admit(media, policy)?;
        let media = programme::chosen(media);
        let main = tracks::main_video(&media).map(|track| track.index);
        let index = media.video.iter().position(|track| Some(track.index) == main);
        let index =
            index.ok_or_else(|| Rejected::new(Reason::NothingDecodable, "it has no pictures"))?;
        Ok(Film { media, index })
    }

    fn track(&self) -> &VideoTrack {
        &self.media.video[self.index]
    }
}

fn own_grid(track: &VideoTrack, policy: &InputPolicy) -> (Ratio, Frames) {
    let rate = rate::choose(track, HIGHEST_RATE).rate;
    (rate, frames_in(picture_span(track, policy.max_gap_seconds), rate))
}

/// High dynamic range is compared with high dynamic range, and all else with what is tone mapped.
fn handling(reference: &VideoTrack, films: &[Film<'_>]) -> HdrHandling {
    let any = |hdr: bool| films.iter().any(|film| colour::is_hdr(film.track()) == hdr);
    match (colour::is_hdr(reference) && any(true), any(false)) {
        (false, _) => HdrHandling::ToneMapped,
        (true, false) => HdrHandling::Kept,
        (true, true) => HdrHandling::Both,
    }
}

fn decode(
    film: &Film<'_>,
    picture: &CommonPicture<'_>,
    size: Size,
    policy: &InputPolicy,
) -> DecodePlan {
    picture::decode_plan(&film.media, picture, size, policy, &mut Decisions::default())
}

fn distorted(
    film: &Film<'_>,
    reference: &VideoTrack,
    common: &CommonPicture<'_>,
    films: &[Film<'_>],
    (rate, grid_frames): (Ratio, Frames),
    size: Size,
    policy: &InputPolicy,
) -> DistortedPlan {
    let track = film.track();
    let kept = colour::is_hdr(reference) && colour::is_hdr(track);
    let own = if kept { HdrHandling::Kept } else { HdrHandling::ToneMapped };
    let own = CommonPicture::new(track, own);
    let frames = frames_in(picture_span(track, policy.max_gap_seconds), rate);
    let form = form(common, films);
    let comparison = of_tracks(common, &own, size, form, kept, depth(reference, films, kept));
    DistortedPlan {
        decode: decode(film, &own, size, policy),
        seek: chunks::seek(track, rate, 0),
        shown: shown(&comparison, form),
        comparison,
        frames: frames.min(grid_frames),
        size: compared_size(track),
        codec: track.codec.clone(),
        notes: notes(track, reference, (rate, grid_frames), frames),
    }
}

/// The colours in which all of these are compared: the reference's own matrix where they share it,
/// since another one mixes chroma into the luma that is scored, and that of delivery where not.
fn form(reference: &CommonPicture<'_>, films: &[Film<'_>]) -> ColourForm {
    let matrix = reference.form().matrix;
    let mut tracks = films.iter().map(Film::track);
    let own = |track| CommonPicture::new(track, HdrHandling::ToneMapped).form().matrix;
    let is_shared = matrix.is_some() && tracks.all(|track| own(track) == matrix);
    if is_shared { ColourForm { matrix, ..DELIVERY } } else { DELIVERY }
}

/// Bits in which all of these are compared, so that their scores can be compared too.
fn depth(reference: &VideoTrack, films: &[Film<'_>], kept: bool) -> BitDepth {
    let tracks = films.iter().map(Film::track);
    let alike = tracks.filter(|track| (colour::is_hdr(reference) && colour::is_hdr(track)) == kept);
    let deepest = alike.map(|track| picture_depth(track, kept)).max();
    picture_depth(reference, kept).max(deepest.unwrap_or(BitDepth::Eight))
}

/// `own` is the grid of the reference, and `grid` the one that all are compared on.
fn notes_on_reference(size: Size, own: (Ratio, Frames), grid: (Ratio, Frames)) -> Vec<String> {
    let mut notes = Vec::new();
    let (long, short) = (size.width.max(size.height), size.width.min(size.height));
    if long > MODEL_SIZE.width || short > MODEL_SIZE.height {
        notes.push(format!(
            "pictures are compared at {size}; VMAF's model is made for {MODEL_SIZE}"
        ));
    }
    notes.extend(note_on_length(own, grid));
    notes
}

/// Said where a package is of another length than its reference, by more than rates explain.
fn note_on_length(own: (Ratio, Frames), grid: (Ratio, Frames)) -> Option<String> {
    let seconds = |(rate, frames): (Ratio, Frames)| rate.frame_start(frames).0 as f64 / 90_000.0;
    let (own, made) = (seconds(own), seconds(grid));
    ((own - made).abs() > 1.0).then(|| {
        format!(
            "the reference has {own:.1} s, the package {made:.1} s: is it made of another original?"
        )
    })
}

/// What to know of the scores of `track`, which has pictures for so many frames of the grid.
fn notes(
    track: &VideoTrack,
    reference: &VideoTrack,
    (rate, grid_frames): (Ratio, Frames),
    frames: Frames,
) -> Vec<String> {
    let mut notes = Vec::new();
    if frames != grid_frames {
        let compared = frames.min(grid_frames);
        notes.push(format!(
            "it has {}, the reference {grid_frames}: {} compared",
            counted(frames),
            match compared {
                1 => "the first is".to_owned(),
                _ => format!("the first {compared} are"),
            },
        ));
    }
    let own = rate::choose(track, HIGHEST_RATE).rate;
    if own != rate {
        notes.push(format!("it has {}, the reference is shown at {}", hertz(own), hertz(rate)));
    }
    notes.extend(note_on_shape(compared_size(track), compared_size(reference)));
    match (colour::is_hdr(reference), colour::is_hdr(track)) {
        (true, false) => notes.push("the reference is tone mapped for it".to_owned()),
        (false, true) => notes.push("it is tone mapped, as the reference is not HDR".to_owned()),
        (true, true) => notes.push("HDR, for which VMAF's model is not made".to_owned()),
        (false, false) => {}
    }
    notes
}

fn counted(frames: Frames) -> String {
    format!("{frames} {}", if frames == 1 { "frame" } else { "frames" })
}

/// Said where the shapes differ by more than rounding to even sides explains.
fn note_on_shape(own: Size, reference: Size) -> Option<String> {
    let across = u64::from(own.width) * u64::from(reference.height);
    let down = u64::from(own.height) * u64::from(reference.width);
    let rounding = 2 * u64::from(reference.width.max(reference.height));
    (across.abs_diff(down) > rounding.max(across / 100)).then(|| {
        format!("its shape is that of {own}, the reference's of {reference}: it is stretched to it")
    })
}
