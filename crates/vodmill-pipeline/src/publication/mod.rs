//! What stands at a destination: whose it is, names of assets and generations, and new keys for
//! what is published.

pub(crate) mod asset_name;
pub(crate) mod object_metadata;
pub mod owner;
pub(crate) mod rekey;
