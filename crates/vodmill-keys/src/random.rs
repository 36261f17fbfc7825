//! Random bytes of the operating system. Every secret is made from them: keys, key ids, IV seeds,
//! key-encryption keys, nonces, and what tokens and credentials are made of.

use rand::TryRng as _;
use rand::rngs::SysRng;

/// The operating system gave no random bytes: nothing may be encrypted then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no random bytes from the operating system")]
pub struct NoRandomness;

/// `N` bytes that nobody can foresee.
///
/// # Errors
/// [`NoRandomness`].
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}
