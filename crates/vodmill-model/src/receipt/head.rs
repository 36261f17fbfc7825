//! What can be read of a `receipt.json` of any version, those of a newer build included: which
//! objects are of the generation.

use serde::Deserialize;

use super::ReceiptError;

/// As much of a receipt as every version says.
#[derive(Clone, Debug, Deserialize)]
pub struct ReceiptHead {
    /// The asset.
    pub asset: String,
    /// The generation.
    pub generation: String,
    /// Every object but the receipt.
    pub objects: Vec<ListedObject>,
}

/// An object by its name alone.
#[derive(Clone, Debug, Deserialize)]
pub struct ListedObject {
    /// Its name in the generation.
    pub name: String,
}

impl ReceiptHead {
    /// Reads it.
    ///
    /// # Errors
    /// If it is no JSON, or does not say so much.
    pub fn read(json: &[u8]) -> Result<ReceiptHead, ReceiptError> {
        Ok(serde_json::from_slice(json)?)
    }
}
