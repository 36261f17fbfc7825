//! Where the key-encryption key is: in a file, or wrapped by AWS's key management service.

mod file;
pub mod kms;

pub use file::{keep_wrapped, load, read};
