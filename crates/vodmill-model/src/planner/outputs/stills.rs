//! Poster and storyboard.

use super::super::Decisions;
use super::super::colour::JPEG;
use super::super::picture::CommonPicture;
use super::super::picture::display_size;
use super::super::sizing;
use super::Material;
use crate::pipeline::Thumbnails;
use crate::plan::{StillPlan, StillsPlan, StoryboardPlan, VideoTimeline};
use crate::units::{Frames, Size};

/// The stills that are asked for; none where there are no pictures.
pub(super) fn plan(material: &Material<'_>, decisions: &mut Decisions) -> Option<StillsPlan> {
    let settings = material.requested.spec.thumbnails.as_ref()?;
    let picture = material.pictures.common.as_ref()?;
    let grid = material.timeline.video.as_ref()?;
    let display = display_size(material.source.video?);
    let size = sizing::at_width(display, settings.poster_width);
    // In a clip of a single frame every percentage is that frame.
    let frame = grid.frames * u64::from(settings.poster_percent) / 100;
    let poster = StillPlan {
        frame: frame.min(grid.frames - 1),
        size,
        filter: filter(size, picture),
        object: "thumbnails/poster.jpg".to_owned(),
    };
    let reason = format!("{} % of the way", settings.poster_percent);
    decisions.add("poster", format!("frame {}, {size}", poster.frame), reason);
    let storyboard = storyboard(display, picture, grid, settings, decisions);
    Some(StillsPlan { poster, storyboard })
}

fn storyboard(
    display: Size,
    picture: &CommonPicture<'_>,
    grid: &VideoTimeline,
    settings: &Thumbnails,
    decisions: &mut Decisions,
) -> Option<StoryboardPlan> {
    if settings.storyboard_seconds == 0 {
        decisions.add("storyboard", "none", "the pipeline asks for none");
        return None;
    }
    let tile = sizing::at_width(display, settings.tile_width);
    let frames = tile_frames(grid, settings.storyboard_seconds);
    let (columns, rows) = (settings.columns.max(1), settings.rows.max(1));
    let sheets = (frames.len() as u64).div_ceil(u64::from(columns) * u64::from(rows));
    let reason = format!("one every {} s", settings.storyboard_seconds);
    decisions.add("storyboard", format!("{} pictures of {tile}", frames.len()), reason);
    Some(StoryboardPlan {
        frames,
        tile,
        filter: filter(tile, picture),
        columns,
        rows,
        sheets: (0..sheets).map(|n| format!("thumbnails/storyboard-{n:03}.jpg")).collect(),
        index: "thumbnails/storyboard.vtt".to_owned(),
    })
}

fn tile_frames(grid: &VideoTimeline, seconds: u32) -> Vec<Frames> {
    let frame_at =
        |tile: u64| tile * u64::from(seconds) * u64::from(grid.rate.num) / u64::from(grid.rate.den);
    let mut frames: Vec<Frames> =
        (0..).map(frame_at).take_while(|&frame| frame < grid.frames).collect();
    frames.dedup();
    frames
}

fn filter(size: Size, picture: &CommonPicture<'_>) -> String {
    format!("{},setsar=1,format=yuvj420p", picture.standard(size, JPEG))
}
