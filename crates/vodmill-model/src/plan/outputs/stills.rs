//! Poster and storyboard.

use serde::{Deserialize, Serialize};

use crate::units::{Frames, Size};

/// Poster and storyboard, made in the same decode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillsPlan {
    /// The poster.
    pub poster: StillPlan,
    /// The storyboard, if any.
    pub storyboard: Option<StoryboardPlan>,
}

/// One picture taken from the grid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillPlan {
    /// Its frame on the grid.
    pub frame: Frames,
    /// Its size.
    pub size: Size,
    /// libavfilter chain from the common picture, ending in `format=yuvj420p`.
    pub filter: String,
    /// Object name, as `thumbnails/poster.jpg`.
    pub object: String,
}

/// Sheets of small pictures with a WebVTT index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryboardPlan {
    /// Frames on the grid, one for each tile.
    pub frames: Vec<Frames>,
    /// Size of a tile.
    pub tile: Size,
    /// libavfilter chain from the common picture to a tile, ending in `format=yuvj420p`.
    pub filter: String,
    /// Tiles across a sheet.
    pub columns: u32,
    /// Tiles down a sheet.
    pub rows: u32,
    /// Object names of the sheets, in order.
    pub sheets: Vec<String>,
    /// Object name of the WebVTT index.
    pub index: String,
}
