//! Delivery, as far as it can be reckoned: who may fetch what for how long, and what that costs.
//!
//! Text in, text out. There is no disk, network or clock here, and no randomness but what blinds
//! RSA: times are given by the caller.

pub mod asset_path;
mod content_type;
pub mod cost;
pub mod policy;
pub mod rewrite;
pub mod sign;
pub mod url;

pub use asset_path::{AssetPath, ObjectKind};
pub use content_type::content_type;
pub use policy::{AddressRange, Epoch, Policy, PolicyError};
pub use sign::{Cookie, Hash, KeyError, SignError, Signer};
pub use url::{Resource, SignableUrl, UrlError, encode_path};
