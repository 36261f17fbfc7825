//! What is served, and the table of routes.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::{Method, header};
use axum::routing::get;
use tower_http::cors::{Any, CorsLayer};
use vodmill_hls::keyring::KeyStore;

use crate::viewer::ViewerPlaylists;
use crate::{files, keys, pages};

/// First parts of paths that are no folder's.
const RESERVED: [&str; 5] = ["k", "v", "play", "hls.js", "player.js"];

/// What is served.
pub struct Site {
    /// Destinations of pipelines.
    pub folders: Vec<Folder>,
    /// Where keys are asked for.
    pub keys: Arc<dyn KeyStore>,
    /// Playlists with signatures for a CDN, where it is configured.
    pub viewers: Option<ViewerPlaylists>,
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

impl Site {
    /// The folder of that name.
    pub(crate) fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.name == name)
    }

    pub(crate) fn router(mut self) -> Router {
        let viewers = self.viewers.take().map(ViewerPlaylists::router);
        Router::new()
            .route("/", get(pages::index))
            .route("/play/{folder}/{*asset}", get(pages::player))
            .route("/player.js", get(pages::player_js))
            .route("/hls.js", get(pages::hls_js))
            .route("/k/{kid}", get(keys::key))
            .route("/{folder}/{*path}", get(files::file))
            .with_state(Arc::new(self))
            .merge(viewers.unwrap_or_default())
            .layer(cors())
    }
}

/// Players on other origins are to read media, parts of it, and keys.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::RANGE])
        .expose_headers([header::CONTENT_LENGTH, header::CONTENT_RANGE])
}
