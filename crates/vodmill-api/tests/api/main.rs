//! The server over a real socket.

mod client;
mod faults;
mod files;
mod keys;
mod operators;
mod pages;
mod viewer;
mod provider;
mod tokens;
mod viewers;
