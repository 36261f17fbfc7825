//! Where keys are kept: in a folder of one machine, or in the database that all workers share.

mod dir;
mod vault;

pub use dir::DirKeyStore;
pub use vault::VaultKeyStore;
