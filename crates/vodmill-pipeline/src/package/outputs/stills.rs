//! Poster and storyboard.

use vodmill_manifest::webvtt::{StoryboardCue, write_storyboard};
use vodmill_model::asset::{Output, Poster, StillsOutput, Storyboard};
use vodmill_model::plan::{ChunkPlan, StillsPlan, StoryboardPlan, digest_of};
use vodmill_model::receipt::{OutputFact, StillsFact};
use vodmill_model::transcode::JpegOrder;
use vodmill_model::units::{Frames, Size};
use vodmill_model::{Failed, MediaError, Plan};

use super::MadeOutput;
use crate::package::{PackageContext, path};

/// One still that a chunk takes.
pub(crate) struct Still<'a> {
    pub frame: Frames,
    pub size: Size,
    pub filter: &'a str,
    /// Content address: everything its bytes depend on.
    pub digest: String,
}

impl Still<'_> {
    pub(crate) fn is_in(&self, chunk: &ChunkPlan) -> bool {
        (chunk.first_frame..chunk.first_frame + chunk.frames).contains(&self.frame)
    }
}

/// Every still of a plan: the poster, then the storyboard's.
pub(crate) fn stills_of(plan: &Plan) -> Vec<Still<'_>> {
    let Some(stills) = plan.stills() else { return Vec::new() };
    let still = |frame, size, filter| Still {
        frame,
        size,
        filter,
        digest: address(plan, frame, size, filter),
    };
    let poster = still(stills.poster.frame, stills.poster.size, stills.poster.filter.as_str());
    let tiles = stills.storyboard.iter().flat_map(|board| {
        board.frames.iter().map(|frame| still(*frame, board.tile, board.filter.as_str()))
    });
    std::iter::once(poster).chain(tiles).collect()
}

fn address(plan: &Plan, frame: Frames, size: Size, filter: &str) -> String {
    // The chunk decides where decoding begins, which damaged media can tell.
    let chunk = plan.chunks.iter().rfind(|chunk| chunk.first_frame <= frame);
    let seek = chunk.map(|chunk| chunk.seek);
    let rate = plan.timeline.video.as_ref().map(|video| video.rate);
    digest_of(&(
        "still",
        plan.build.of_encoders([]),
        &plan.original.sha256,
        &plan.decode,
        rate,
        seek,
        frame,
        size,
        filter,
    ))
}

pub(super) fn make(
    context: &PackageContext<'_>,
    plan: &StillsPlan,
) -> Result<MadeOutput, MediaError> {
    let stills = stills_of(context.plan);
    let (poster, tiles) = stills.split_at(stills.len().min(1));
    make_sheet(context, poster, (1, 1), &plan.poster.object)?;
    if let Some(board) = &plan.storyboard {
        make_storyboard(context, board, tiles)?;
    }
    let fact = StillsFact { objects: objects(plan) };
    Ok(MadeOutput::new(OutputFact::Stills(fact), Output::Stills(describe(context, plan))))
}

/// Names of its objects.
fn objects(plan: &StillsPlan) -> Vec<String> {
    let mut objects = vec![plan.poster.object.clone()];
    if let Some(board) = &plan.storyboard {
        objects.extend(board.sheets.iter().cloned());
        objects.push(board.index.clone());
    }
    objects
}

/// Digests of the renditions that they are made from.
pub(super) fn renditions(plan: &Plan) -> Vec<String> {
    stills_of(plan).into_iter().map(|still| still.digest).collect()
}

fn describe(context: &PackageContext<'_>, plan: &StillsPlan) -> StillsOutput {
    let poster = Poster { path: path(context, &plan.poster.object), size: plan.poster.size };
    let storyboard = plan.storyboard.as_ref().map(|plan| describe_board(context, plan));
    StillsOutput { poster, storyboard }
}

fn describe_board(context: &PackageContext<'_>, plan: &StoryboardPlan) -> Storyboard {
    Storyboard {
        index: path(context, &plan.index),
        sheets: plan.sheets.iter().map(|sheet| path(context, sheet)).collect(),
        tile: plan.tile,
        tiles: plan.frames.len() as u64,
        columns: plan.columns,
        rows: plan.rows,
    }
}

fn make_storyboard(
    context: &PackageContext<'_>,
    board: &StoryboardPlan,
    tiles: &[Still<'_>],
) -> Result<(), MediaError> {
    let per_sheet = (board.columns * board.rows).max(1) as usize;
    for (sheet, tiles) in board.sheets.iter().zip(tiles.chunks(per_sheet)) {
        let rows = (tiles.len() as u32).div_ceil(board.columns.max(1));
        let columns = board.columns.min(tiles.len() as u32);
        make_sheet(context, tiles, (columns, rows), sheet)?;
    }
    let index = write_storyboard(&cues(context.plan, board));
    let index = index.map_err(|error| Failed::from_error("write storyboard", &error))?;
    Ok(context.tree.write(&board.index, index.as_bytes())?)
}

fn make_sheet(
    context: &PackageContext<'_>,
    stills: &[Still<'_>],
    (columns, rows): (u32, u32),
    object: &str,
) -> Result<(), MediaError> {
    let Some(first) = stills.first() else { return Ok(()) };
    let size = first.size;
    let stills = stills.iter().map(|still| context.input.rendition(&still.digest));
    context.transcode.write_jpeg(&JpegOrder {
        stills: stills.collect::<Result<_, _>>()?,
        size,
        columns,
        rows,
        path: context.tree.place(object)?,
    })?;
    context.tree.adopt(object)?;
    Ok(())
}

fn cues(plan: &Plan, board: &StoryboardPlan) -> Vec<StoryboardCue> {
    let Some(video) = &plan.timeline.video else { return Vec::new() };
    let per_sheet = u64::from((board.columns * board.rows).max(1));
    let ticks = |frame: Frames| video.rate.frame_start(frame).0.unsigned_abs();
    let cue = |(number, frame): (usize, &Frames)| {
        let cell = number as u64 % per_sheet;
        let (column, row) = (cell % u64::from(board.columns), cell / u64::from(board.columns));
        let sheet = board.sheets.get((number as u64 / per_sheet) as usize)?;
        Some(StoryboardCue {
            start: if number == 0 { 0 } else { ticks(*frame) },
            end: board
                .frames
                .get(number + 1)
                .map_or(plan.timeline.duration.0.unsigned_abs(), |next| ticks(*next)),
            sheet: sheet.rsplit('/').next().unwrap_or(sheet).to_owned(),
            x: column as u32 * board.tile.width,
            y: row as u32 * board.tile.height,
            width: board.tile.width,
            height: board.tile.height,
        })
    };
    board.frames.iter().enumerate().filter_map(cue).collect()
}
