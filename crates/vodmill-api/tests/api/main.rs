//! The server over a real socket.

mod client;
mod files;
mod keys;
mod pages;
mod viewer;
