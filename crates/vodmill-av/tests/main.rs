//! Tests of media work against real media.

mod mux;
