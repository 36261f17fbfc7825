//! HTTP: the key server; a small server for one machine, with published packages and a page to play
//! them; and a client of other key servers.
//!
//! In production a CDN serves the packages, and [`KeyServer`] the keys, to viewers whose tokens it
//! checks.

mod connections;
mod files;
mod folder;
mod keyserver;
mod packages;
mod pages;
mod peer;
mod receipts;
mod server;
mod site;
pub mod token;
mod viewer_playlists;

pub use connections::Limits;
pub use folder::{Folder, published};
pub use keyserver::{
    Credentials, KeyServer, KeyServerError, KeySettings, Memory, Network, Rate, Role,
    SecretFileError, Viewers, is_host, is_origin,
};
pub use server::{Server, ServerError};
pub use site::Site;
pub use viewer_playlists::{ReadObject, Tree, ViewerPlaylists};
