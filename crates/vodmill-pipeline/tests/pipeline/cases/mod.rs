//! What the worker must do, by theme.

mod assets;
mod attempts;
mod crashes;
mod damage;
mod faults;
mod originals;
mod publication;
mod rekeying;
mod sandbox;
mod stopping;
mod titles;
