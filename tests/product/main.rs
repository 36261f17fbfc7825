//! Tests of the built product, and of the readers that judge it.

mod browser;
mod check;
mod drain;
mod hls;
mod inbox;
mod inputs;
mod kill;
mod long;
mod readers;
mod rooms;
mod scripts;
