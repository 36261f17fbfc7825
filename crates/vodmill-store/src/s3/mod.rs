//! S3, and servers that speak its protocol.
//!
//! # What is promised, and how
//! - **Bytes are compared.** Every body is a run of bytes in memory, with its digest in a signed
//!   header: CRC-64/NVME where the server knows it, else MD5. The answer's checksum, or its ETag
//!   where that is an MD5, is held against our own; where a server gives neither, the object is read
//!   back. No body is framed (`aws-chunked`): some servers store the frames.
//! - **Memory is bounded** for the process: all transfers share one budget of bytes.
//! - **Tries are bounded**, with growing, random pauses, and each has its time. After a lost answer,
//!   what is there decides.
//! - **A server is tried out** before it is written to ([`Bucket::capabilities`]).

mod bucket;
mod budget;
mod capabilities;
mod client;
mod copy;
mod digest;
mod failure;
mod lifecycle;
mod list;
mod multipart;
mod put;
mod read;
mod restore;
mod settings;
mod store;
mod tag;
mod upload;

pub use bucket::{Bucket, ObjectInfo};
pub use capabilities::Capabilities;
pub(crate) use client::{block, sdk_config};
pub use copy::{Copying, Source};
pub use digest::{Checksum, etag_of_parts, etag_of_whole};
pub use failure::RemoteError;
pub(crate) use failure::RequestFailure;
pub use lifecycle::{Applied, LifecycleRule, RuleAction};
pub use multipart::Unfinished;
pub use put::{Condition, PutOptions, Stored};
pub use read::ObjectVersion;
pub use restore::{Archive, RestoreOptions, Stage, Tier};
pub use settings::{Checksums, ObjectSettings, S3Settings, Sse};
pub use store::S3Store;
pub use upload::{PutFile, part_size};
