//! The threads that serve.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::connections::{Connections, Limits, Place};
use crate::keyserver::{KeyServer, ViewerAuth, guarded};
use crate::peer::Peer;
use crate::site::Site;

/// Bytes of a request line with its headers.
const MAX_HEAD: usize = 16 << 10;

/// Headers of a request.
const MAX_HEADERS: usize = 64;

/// How long to wait where a connection cannot be taken, for want of file descriptors say.
const BREATH: Duration = Duration::from_millis(50);

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
        Server::start_within(site, address, Limits::of_process())
    }

    /// As [`start`](Server::start), within limits of the caller's.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_within(
        site: Site,
        address: SocketAddr,
        limits: Limits,
    ) -> Result<Server, ServerError> {
        let auth = site.keys.auth();
        let router = site.router(is_local(address));
        Server::serve(Guests { router, auth, connections: Connections::new(limits) }, address)
    }

    /// As [`start`](Server::start), for keys alone.
    ///
    /// # Errors
    /// As `start`.
    pub fn start_keys(keys: KeyServer, address: SocketAddr) -> Result<Server, ServerError> {
        let auth = keys.auth();
        let router = guarded(keys, Router::new(), is_local(address));
        let connections = Connections::new(Limits::of_process());
        Server::serve(Guests { router, auth, connections }, address)
    }

    fn serve(guests: Guests, address: SocketAddr) -> Result<Server, ServerError> {
        let runtime = Builder::new_multi_thread().thread_name("http").enable_all().build();
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
            .spawn(move || run(runtime, guests, listener, stopped))
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

fn run(runtime: Runtime, guests: Guests, listener: TcpListener, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        let open = GracefulShutdown::new();
        tokio::select! {
            () = accept(&listener, &guests, &open) => {}
            // Either a word or the dropped sender says stop.
            _ = stopped => {}
        }
        drop(listener);
        if tokio::time::timeout(FAREWELL, open.shutdown()).await.is_err() {
            tracing::debug!("connections cut off");
        }
    });
    // A look at a store that is away is not waited for.
    runtime.shutdown_background();
}

/// Who is connected, and what is served to them.
struct Guests {
    router: Router,
    auth: Arc<ViewerAuth>,
    connections: Arc<Connections>,
}

async fn accept(listener: &TcpListener, guests: &Guests, open: &GracefulShutdown) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let is_proxy = guests.auth.is_proxy(peer.ip());
                let place = guests.connections.admit(peer.ip(), is_proxy).await;
                talk(stream, peer.ip(), guests, open, Arc::new(place));
            }
            Err(error) => {
                tracing::warn!(%error, "connection not taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// Serves one connection in a task of its own.
fn talk(
    stream: TcpStream,
    peer: IpAddr,
    guests: &Guests,
    open: &GracefulShutdown,
    place: Arc<Place>,
) {
    // A key is less than a packet: it is not to wait for more.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "delay not switched off");
    }
    let router = TowerToHyperService::new(guests.router.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answering = router.call(request);
        async move { answering.await.map(hardened) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(guests.connections.limits().head);
    http.max_buf_size(MAX_HEAD).max_headers(MAX_HEADERS);
    let stream = TokioIo::new(place.watch(stream));
    let connection = open.watch(http.serve_connection(stream, service));
    tokio::spawn(async move {
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            },
            () = place.needed() => tracing::debug!(%peer, "silent connection closed"),
        }
    });
}

/// Whether only this machine connects to an address.
fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// No browser is to guess that a key is something else.
fn hardened(mut response: Response) -> Response {
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}
