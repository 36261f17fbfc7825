//! A small HTTP server for one machine: published packages, their keys, and a page to play them.
//!
//! Enough to try out what vodmill makes; in production a CDN serves the packages, and a key server
//! that knows the viewer serves the keys. Whoever can connect gets every key: bind it to loopback,
//! or to a network where that is right.

mod files;
mod keys;
mod pages;
mod server;
mod site;
mod viewer;

pub use server::{Server, ServerError};
pub use site::{Folder, Site};
pub use viewer::{ReadObject, Tree, ViewerPlaylists};
