//! How a bucket is reached, and how objects are kept in it. Secrets have no place here: they come
//! from the environment, a profile, or the machine's role.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How S3, or a server that speaks its protocol, is reached.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct S3Settings {
    /// URL of an S3-compatible server. Default: AWS.
    pub endpoint: Option<String>,
    /// The bucket's region. Default: what the environment says, then `us-east-1` with an
    /// `endpoint`, and without one what the profile or the machine says.
    pub region: Option<String>,
    /// Whether the bucket's name stands in the path of URLs instead of the host's name. Default:
    /// yes with an `endpoint`, no without.
    pub path_style: Option<bool>,
    /// Profile of the AWS configuration files to take credentials from. Default: the usual chain
    /// of environment, profile, web identity, container and machine role.
    pub profile: Option<String>,
    /// File to take credentials from, in the form of AWS's `~/.aws/credentials`. Default: that one.
    pub credentials_file: Option<PathBuf>,
    /// Which checksums are sent along.
    pub checksums: Checksums,
    /// How often one request is tried in all.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
    /// Seconds that one try may take, beyond the time that its bytes take at 128 KiB a second.
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_seconds: u32,
}

impl Default for S3Settings {
    fn default() -> S3Settings {
        S3Settings {
            endpoint: None,
            region: None,
            path_style: None,
            profile: None,
            credentials_file: None,
            checksums: Checksums::Default,
            attempts: 6,
            timeout_seconds: 60,
        }
    }
}

/// Which checksums are sent along with objects.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Checksums {
    /// CRC-64/NVME over the whole object where the server knows it, else `Content-MD5`.
    #[default]
    Default,
    /// `Content-MD5` only, for servers that choke on newer headers.
    RequiredOnly,
}

/// How objects are kept that are written to a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectSettings {
    /// Storage class, such as `STANDARD_IA`. Default: the bucket's.
    pub storage_class: Option<String>,
    /// Tags of each object.
    pub tags: BTreeMap<String, String>,
    /// Tags of objects of the [bulk](crate::Upload::bulk), beside these.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bulk_tags: BTreeMap<String, String>,
    /// Encryption by the server, `AES256` or `aws:kms`. Default: the bucket's.
    pub sse: Option<Sse>,
    /// Key for `aws:kms`. Default: the account's.
    pub kms_key: Option<String>,
}

/// Encryption by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Sse {
    /// With keys of S3's own.
    #[serde(rename = "AES256")]
    Aes256,
    /// With a key of the Key Management Service.
    #[serde(rename = "aws:kms")]
    Kms,
}
