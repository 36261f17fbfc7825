//! Probing and encoding, on small originals that FFmpeg's command line makes.

mod chunks;
pub mod clips;
mod damage;
mod encoders;
mod facts;
mod meaning;
mod odd;
pub mod orders;
mod served;
mod server;
