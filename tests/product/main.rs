//! Tests of the built product, and of the readers that judge it.

// The next seven are being written by two colleagues; browser and the bench are free.
mod check;
mod drain;
mod hls;
mod inbox;
mod inputs;
mod kill;
mod long;
mod readers;
