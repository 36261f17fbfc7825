//! Probing and encoding, on small originals that FFmpeg's command line makes.

mod balance;
mod boxes;
mod chunks;
pub mod clips;

mod damage;
mod encoders;
mod facts;
mod limits;
mod meaning;
mod odd;
pub mod orders;
mod served;
mod server;
mod truncation;
mod types;
