//! Scores of pictures against their original.

mod meter;
mod pairs;
mod trials;
