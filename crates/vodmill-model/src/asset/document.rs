//! `asset.json` as a file: read once, whichever version it is of.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Asset, VERSION, version1};
use crate::plan::digest_of;

/// An `asset.json` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    /// It is not of the form that its version has.
    #[error("it is not a description of an asset: {0}")]
    Form(#[from] serde_json::Error),
    /// A newer vodmill has written it.
    #[error("it is of version {0}, which a newer vodmill writes; this one knows up to {VERSION}")]
    Newer(u64),
}

/// The file: an asset, the receipt that vouches for it, and the facts of its publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetDocument {
    asset: Asset,
    /// The asset in the form that the receipt has the digest of: its own, or the one of version 1
    /// that it was read in.
    vouched: Map<String, Value>,
    /// The receipt; packages always have one.
    pub receipt: Option<ReceiptReference>,
    /// What is known only when it is published.
    pub publication: Publication,
}

/// The receipt of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptReference {
    /// Where it is.
    pub path: String,
    /// Its SHA-256, 64 hex digits.
    pub sha256: String,
}

/// What differs from one run to the next, so that no receipt vouches for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Publication {
    /// When the pointer came to lead here (RFC 3339, UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<String>,
    /// Milliseconds of processor time that encoding took; streams that were there already took none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encode_cpu_ms: Option<u64>,
    /// The same for packaging and proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_cpu_ms: Option<u64>,
}

impl Publication {
    /// The month of publication, as `2026-11`.
    pub fn month(&self) -> Option<&str> {
        // RFC 3339 in UTC begins with it.
        self.published_at.as_deref()?.get(..7)
    }
}

/// Fields of the file beside those of the asset.
#[derive(Default, Serialize, Deserialize)]
struct Beside {
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptReference>,
    #[serde(flatten)]
    publication: Publication,
}

/// Their names.
const BESIDE: [&str; 4] = ["receipt", "published_at", "encode_cpu_ms", "package_cpu_ms"];

/// Everything that a web site needs to know of an asset of vodmill. Paths are relative to the asset's folder.
#[derive(JsonSchema)]
#[schemars(title = "asset.json", rename = "AssetDocument", deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct AssetDocumentForm {
    #[serde(flatten)]
    asset: Asset,
    receipt: ReceiptReference,
    #[serde(flatten)]
    publication: Publication,
}

impl AssetDocument {
    /// A document of the version that is written.
    ///
    /// # Panics
    /// Never: the fields of an asset have string keys and no fallible serialisers.
    pub fn new(asset: Asset) -> AssetDocument {
        let vouched = match serde_json::to_value(&asset) {
            Ok(Value::Object(fields)) => fields,
            other => unreachable!("an asset is an object: {other:?}"),
        };
        AssetDocument { asset, vouched, receipt: None, publication: Publication::default() }
    }

    /// Reads a file of any version that is known.
    ///
    /// # Errors
    /// [`AssetError`], also for fields that its version does not have.
    pub fn read(json: &[u8]) -> Result<AssetDocument, AssetError> {
        AssetDocument::of_fields(serde_json::from_slice(json)?)
    }

    /// The same of its fields.
    ///
    /// # Errors
    /// As [`read`](AssetDocument::read).
    pub fn of_fields(fields: Map<String, Value>) -> Result<AssetDocument, AssetError> {
        let is_beside = |(name, _): &(String, Value)| BESIDE.contains(&name.as_str());
        let (beside, vouched): (Vec<_>, Vec<_>) = fields.into_iter().partition(is_beside);
        let vouched: Map<String, Value> = vouched.into_iter().collect();
        let form = match vouched.get("version").and_then(Value::as_u64) {
            Some(version) if version > u64::from(VERSION) => {
                return Err(AssetError::Newer(version));
            }
            Some(2) => vouched.clone(),
            _ => version1::upgraded(vouched.clone())?,
        };
        let asset = serde_json::from_value(Value::Object(form))?;
        let beside = serde_json::from_value(Value::Object(beside.into_iter().collect()))?;
        let Beside { receipt, publication } = beside;
        Ok(AssetDocument { asset, vouched, receipt, publication })
    }

    /// The asset.
    pub fn asset(&self) -> &Asset {
        &self.asset
    }

    /// SHA-256 of what a receipt can vouch for, 64 hex digits.
    pub fn digest(&self) -> String {
        digest_of(&self.vouched)
    }

    /// The JSON Schema of the version that is written.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(AssetDocumentForm)
    }
}

impl Serialize for AssetDocument {
    /// In the version that it was read in, so that its receipt goes on to vouch for it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (receipt, publication) = (self.receipt.clone(), self.publication.clone());
        let beside = serde_json::to_value(Beside { receipt, publication });
        let mut fields = self.vouched.clone();
        if let Value::Object(beside) = beside.map_err(S::Error::custom)? {
            fields.extend(beside);
        }
        fields.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AssetDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AssetDocument, D::Error> {
        AssetDocument::of_fields(Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
