//! What is served, and the table of routes.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::files;
use crate::folder::Folder;
use crate::keyserver::{KeyServer, guarded};
use crate::packages::Packages;
use crate::pages;
use crate::viewer_playlists::ViewerPlaylists;

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
        let auth = keys.auth();
        let packages = Packages::new(folders, player_js, Arc::clone(&auth));
        let pages = Router::new()
            .route("/", get(pages::index))
            .route("/play/{folder}/{*asset}", get(pages::player))
            .route("/player.js", get(pages::player_js))
            .route("/hls.js", get(pages::hls_js))
            .route("/{folder}/{*path}", get(files::file))
            .with_state(Arc::new(packages));
        let playlists = viewers.map(|viewers| viewers.router(auth)).unwrap_or_default();
        guarded(keys, pages.merge(playlists), local)
    }
}
