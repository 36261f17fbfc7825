//! Where a request comes from.

use std::net::IpAddr;

/// The address at the other end of the connection; with every request.
#[derive(Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);
