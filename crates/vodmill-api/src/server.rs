//! The thread that serves.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::site::Site;

/// How long answers that are under way may take after [`Server::stop`].
const FAREWELL: Duration = Duration::from_secs(2);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The runtime did not start.
    #[error("start the server's thread")]
    Start(#[source] std::io::Error),
    /// The address is taken, or not ours.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A server that runs in a thread of its own until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on `address` (port 0 for any free one) and serves `site`.
    ///
    /// # Errors
    /// [`ServerError`], before anything is served.
    pub fn start(site: Site, address: SocketAddr) -> Result<Server, ServerError> {
        // One thread: a disk and a loopback are all there is to wait for.
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ServerError::Start)?;
        let listening = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = runtime
            .block_on(listening)
            .map_err(|source| ServerError::Listen { address, source })?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || run(&runtime, site, listener, stopped))
            .map_err(ServerError::Start)?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening; answers under way get two seconds.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // A thread that ended already needs no telling, and its panic was reported.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn run(runtime: &Runtime, site: Site, listener: TcpListener, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        let (told, hurry) = oneshot::channel();
        let serving = axum::serve(listener, site.router()).with_graceful_shutdown(async move {
            // Either a word or the dropped sender says stop.
            let _ = stopped.await;
            let _ = told.send(());
        });
        let deadline = async {
            let _ = hurry.await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            ended = IntoFuture::into_future(serving) => {
                if let Err(error) = ended {
                    tracing::error!(%error, "server ended");
                }
            }
            () = deadline => tracing::debug!("connections cut off"),
        }
    });
}
