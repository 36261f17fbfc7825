//! What the mill must do, by theme.

mod assets;
mod crashes;
mod damage;
mod faults;
mod originals;
mod proof;
mod publication;
mod stopping;
