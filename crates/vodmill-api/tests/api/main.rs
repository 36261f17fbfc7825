//! The server over a real socket.

mod client;
mod connections;
mod faults;
mod files;
mod keys;
mod operators;
mod pages;
mod tokens;
mod viewer;
mod viewers;
