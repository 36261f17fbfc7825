//! The published packages of this machine that are served, and who may have them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::folder::{Folder, published};
use crate::keyserver::ViewerAuth;
use crate::receipts::Receipts;

/// How long a list of all assets counts: walking through all folders takes a while.
const FRESH: Duration = Duration::from_secs(1);

/// Folders of packages, and what is needed to serve them.
pub(crate) struct Packages {
    pub(crate) folders: Vec<Folder>,
    pub(crate) player_js: Option<PathBuf>,
    pub(crate) auth: Arc<ViewerAuth>,
    pub(crate) receipts: Receipts,
    listing: Mutex<Option<Listing>>,
}

/// All assets, and when they were looked for.
struct Listing {
    assets: Arc<Vec<Asset>>,
    /// The uptime at which it was made.
    at: Duration,
}

/// A published asset.
pub(crate) struct Asset {
    /// Name of its folder.
    pub(crate) folder: String,
    pub(crate) name: String,
}

impl Packages {
    pub(crate) fn new(
        folders: Vec<Folder>,
        player_js: Option<PathBuf>,
        auth: Arc<ViewerAuth>,
    ) -> Packages {
        Packages { folders, player_js, auth, receipts: Receipts::new(), listing: Mutex::default() }
    }

    /// The folder of that name.
    pub(crate) fn folder(&self, name: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.name == name)
    }

    /// All assets of all folders. One request walks them, in a thread where it may wait; the others
    /// wait for what it finds.
    pub(crate) async fn list(self: &Arc<Self>) -> Option<Arc<Vec<Asset>>> {
        let mut last = self.listing.lock().await;
        let now = self.auth.clock().uptime();
        let is_fresh = |listing: &&Listing| now.saturating_sub(listing.at) < FRESH;
        if let Some(listing) = last.as_ref().filter(is_fresh) {
            return Some(Arc::clone(&listing.assets));
        }
        let packages = Arc::clone(self);
        let found = tokio::task::spawn_blocking(move || {
            packages.folders.iter().flat_map(assets_in).collect::<Vec<_>>()
        });
        let assets = Arc::new(found.await.ok()?);
        *last = Some(Listing { assets: Arc::clone(&assets), at: self.auth.clock().uptime() });
        Some(assets)
    }
}

fn assets_in(folder: &Folder) -> Vec<Asset> {
    let names = published(&folder.path).into_iter();
    names.map(|name| Asset { folder: folder.name.clone(), name }).collect()
}
