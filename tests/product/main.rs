//! Tests of the built product, and of the readers that judge it.

mod aging;
mod browser;
mod bucket_inbox;
mod check;
mod cluster;
mod docs;
mod door;
mod drain;
mod failures;
mod faultpoints;
mod hdr;
mod hls;
mod inbox;
mod inputs;
mod key_faults;
mod key_server;
mod kill;
mod long;
mod nginx;
mod notifications;
mod ownership;
mod readers;
mod rekey;
mod rooms;
mod scripts;
mod viewers;
