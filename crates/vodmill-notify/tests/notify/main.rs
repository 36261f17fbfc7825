//! The dispatcher from outside: receivers that behave badly, and a CDN that enforces its limits.

mod caches;
mod payloads;
mod receivers;
mod topics;
mod world;
