//! Probing and encoding, on small originals that FFmpeg's command line makes.

mod chunks;
mod clips;
mod damage;
mod encoders;
mod facts;
mod odd;
mod orders;
mod served;
mod server;
