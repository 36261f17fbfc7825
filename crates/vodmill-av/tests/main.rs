//! Tests of media work against real media.

mod decode;
mod mux;
