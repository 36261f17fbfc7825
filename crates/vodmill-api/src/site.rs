//! What is served, and the table of routes.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::{Method, header};
use axum::routing::get;
use tower_http::cors::{Any, CorsLayer};

use crate::keyserver::KeyServer;
use crate::viewer::ViewerPlaylists;
use crate::{files, pages};

/// First parts of paths that are no folder's.
const RESERVED: [&str; 7] = ["k", "v", "v1", "gate", "play", "hls.js", "player.js"];

/// What is served.
pub struct Site {
    /// Destinations of pipelines.
    pub folders: Vec<Folder>,
    /// Playlists with signatures for a CDN, where it is configured.
    pub viewers: Option<ViewerPlaylists>,
    /// The keys, and who gets them.
    pub keys: KeyServer,
    /// hls.js, for browsers that cannot play HLS themselves.
    pub player_js: Option<PathBuf>,
}

/// A folder of published packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The first part of the paths under which it is served.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Folder {
    /// Folders for these destinations, each named by its last part, made unique where need be.
    pub fn name_all(destinations: impl IntoIterator<Item = PathBuf>) -> Vec<Folder> {
        let mut folders: Vec<Folder> = Vec::new();
        for path in destinations {
            if folders.iter().any(|folder| folder.path == path) {
                continue;
            }
            let last = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let wanted = last.unwrap_or_else(|| "published".to_owned());
            let taken = |name: &str| {
                RESERVED.contains(&name) || folders.iter().any(|folder| folder.name == name)
            };
            let mut name = wanted.clone();
            let mut number = 2;
            while taken(&name) {
                name = format!("{wanted}-{number}");
                number += 1;
            }
            folders.push(Folder { name, path });
        }
        folders
    }
}

impl Public {
    /// The folder of that name.
    pub(crate) fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.name == name)
    }
}

impl Site {
    pub(crate) fn router(self) -> Router {
        let Site { folders, viewers, keys, player_js } = self;
        let viewers = viewers.map(|viewers| {
            let door = keys.door();
            // Where tokens are asked for, pages show them as they do for keys.
            let cors = if door.asks_for_tokens() { keys.cors() } else { cors() };
            viewers.router(door).layer(cors)
        });
        Router::new()
            .route("/", get(pages::index))
            .route("/play/{folder}/{*asset}", get(pages::player))
            .route("/player.js", get(pages::player_js))
            .route("/hls.js", get(pages::hls_js))
            .route("/{folder}/{*path}", get(files::file))
            .with_state(Arc::new(Public { folders, player_js }))
            .layer(cors())
            .merge(viewers.unwrap_or_default())
            .merge(keys.router())
    }
}

/// What is served without asking who it is for.
pub(crate) struct Public {
    pub(crate) folders: Vec<Folder>,
    pub(crate) player_js: Option<PathBuf>,
}

/// Players on other origins are to read media, and parts of it.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::RANGE])
        .expose_headers([header::CONTENT_LENGTH, header::CONTENT_RANGE])
}
