//! What is served, and the table of routes.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::sync::Mutex;

use crate::files;
use crate::folder::Folder;
use crate::keyserver::{Door, KeyServer, guarded};
use crate::pages::{self, Listing};
use crate::receipts::Receipts;
use crate::viewer::ViewerPlaylists;

/// First parts of paths that are no folder's.
pub(crate) const RESERVED: [&str; 7] = ["k", "v", "v1", "gate", "play", "hls.js", "player.js"];

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

impl Site {
    /// `local`: it listens on this machine alone.
    pub(crate) fn router(self, local: bool) -> Router {
        let Site { folders, viewers, keys, player_js } = self;
        let door = keys.door();
        let served = Served {
            folders,
            player_js,
            door: Arc::clone(&door),
            receipts: Receipts::new(),
            listing: Mutex::default(),
        };
        let packages = Router::new()
            .route("/", get(pages::index))
            .route("/play/{folder}/{*asset}", get(pages::player))
            .route("/player.js", get(pages::player_js))
            .route("/hls.js", get(pages::hls_js))
            .route("/{folder}/{*path}", get(files::file))
            .with_state(Arc::new(served));
        let playlists = viewers.map(|viewers| viewers.router(door)).unwrap_or_default();
        guarded(keys, packages.merge(playlists), local)
    }
}

/// What is served of packages, and who is let in.
pub(crate) struct Served {
    pub(crate) folders: Vec<Folder>,
    pub(crate) player_js: Option<PathBuf>,
    pub(crate) door: Arc<Door>,
    pub(crate) receipts: Receipts,
    pub(crate) listing: Mutex<Option<Listing>>,
}

impl Served {
    /// The folder of that name.
    pub(crate) fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.name == name)
    }
}
