//! Signatures that CloudFront checks: RSA with PKCS #1 v1.5 padding (RFC 8017, 8.2) and ECDSA on
//! P-256 (FIPS 186-5, nonces by RFC 6979), over SHA-1 or SHA-256.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{DerSignature, SigningKey};
use rand::rngs::SysRng;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, PrivateKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::policy::Policy;
use crate::url::SignableUrl;

/// The one size of RSA keys that CloudFront takes, in bits.
const RSA_BITS: usize = 2048;

/// What is signed of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hash {
    /// What CloudFront expects where nothing is said.
    #[default]
    Sha1,
    /// Said with `Hash-Algorithm=SHA256`.
    Sha256,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No block `-----BEGIN … PRIVATE KEY-----`.
    #[error("it holds no private key in PEM: there is no line -----BEGIN ... PRIVATE KEY-----")]
    NoKey,
    /// The half that CloudFront has.
    #[error("it is the public key: CloudFront has that one; sign with the private key")]
    Public,
    /// A key under a pass phrase.
    #[error(
        "it is encrypted with a pass phrase: write it out clear for this machine alone with \
         `openssl pkcs8 -topk8 -nocrypt`"
    )]
    Encrypted,
    /// A key in OpenSSH's own form.
    #[error("it is in OpenSSH's form: convert it with `ssh-keygen -p -m PEM -f FILE`")]
    OpenSsh,
    /// A block that is no key of a kind that CloudFront takes.
    #[error("it is no RSA key and no ECDSA key on P-256, or it is damaged: {0}")]
    Unreadable(String),
    /// RSA of another size.
    #[error("it is an RSA key of {0} bits: CloudFront takes {RSA_BITS}")]
    RsaSize(usize),
    /// What is no id of a key pair.
    #[error("{0:?} is no key pair id: letters and digits, such as K2JCJMDEHXQW5F")]
    KeyPairId(String),
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// CloudFront would refuse it.
    #[error("the policy for {resource} does not cover {url}")]
    NotCovered {
        /// What the policy speaks of.
        resource: String,
        /// What would be fetched.
        url: String,
    },
    /// The key failed at it.
    #[error("sign a policy: {0}")]
    Key(String),
}

/// A cookie that a viewer's requests to the CDN are to bear.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

enum Key {
    Rsa(Box<PrivateKey>),
    P256(SigningKey),
}

/// A private key, and how CloudFront calls its public half.
pub struct Signer {
    key_pair_id: String,
    key: Key,
    hash: Hash,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, hash) = (&self.key_pair_id, self.hash);
        f.debug_struct("Signer").field("key_pair_id", id).field("hash", &hash).finish()
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is a credential.
        f.debug_struct("Cookie").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer with the key in `pem`: PKCS #1 (RFC 8017), SEC 1 (RFC 5915) or PKCS #8 (RFC 5958).
    ///
    /// # Errors
    /// [`KeyError`]; it says nothing of the key itself.
    pub fn new(key_pair_id: &str, pem: &str, hash: Hash) -> Result<Signer, KeyError> {
        let plain = key_pair_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if key_pair_id.is_empty() || !plain {
            return Err(KeyError::KeyPairId(key_pair_id.to_owned()));
        }
        let key = read_key(pem)?;
        Ok(Signer { key_pair_id: key_pair_id.to_owned(), key, hash })
    }

    /// `url` with the signature in its query.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn url(&self, url: &SignableUrl, policy: &Policy) -> Result<String, SignError> {
        if !policy.covers(url) {
            let (resource, url) = (policy.resource().to_string(), url.to_string());
            return Err(SignError::NotCovered { resource, url });
        }
        // A canned policy is put together again from the URL that is asked for.
        let is_same = policy.resource().as_str() == url.as_str();
        let query = self.parameters(policy, policy.is_canned() && is_same)?;
        let separator = if url.as_str().contains('?') { '&' } else { '?' };
        Ok(format!("{url}{separator}{}", query_of(&query)))
    }

    /// The query that lets every URL through which a policy covers, for URLs that are written
    /// later.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn query(&self, policy: &Policy) -> Result<String, SignError> {
        Ok(query_of(&self.parameters(policy, false)?))
    }

    /// The cookies that let every URL through which a policy covers.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn cookies(&self, policy: &Policy) -> Result<Vec<Cookie>, SignError> {
        let parameters = self.parameters(policy, policy.is_canned())?;
        let cookie = |(name, value): (&str, String)| Cookie { name: cookie_name(name), value };
        Ok(parameters.into_iter().map(cookie).collect())
    }

    fn parameters(
        &self,
        policy: &Policy,
        canned: bool,
    ) -> Result<Vec<(&'static str, String)>, SignError> {
        let json = policy.to_json();
        let signature = self.sign(json.as_bytes())?;
        let mut parameters = match canned {
            true => vec![("Expires", policy.expires().to_string())],
            false => vec![("Policy", encode(json.as_bytes()))],
        };
        parameters.push(("Signature", encode(&signature)));
        parameters.push(("Key-Pair-Id", self.key_pair_id.clone()));
        if self.hash == Hash::Sha256 {
            parameters.push(("Hash-Algorithm", "SHA256".to_owned()));
        }
        Ok(parameters)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let digest = match self.hash {
            Hash::Sha1 => Sha1::digest(message).to_vec(),
            Hash::Sha256 => Sha256::digest(message).to_vec(),
        };
        match &self.key {
            Key::Rsa(key) => sign_rsa(key, self.hash, &digest),
            Key::P256(key) => sign_p256(key, &digest),
        }
    }
}

fn sign_rsa(key: &PrivateKey, hash: Hash, digest: &[u8]) -> Result<Vec<u8>, SignError> {
    let scheme = match hash {
        Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
    };
    // Blinded: how long it takes says nothing of the key. The signature is the same without.
    key.sign_with_rng(&mut SysRng, scheme, digest).map_err(|e| SignError::Key(e.to_string()))
}

fn sign_p256(key: &SigningKey, digest: &[u8]) -> Result<Vec<u8>, SignError> {
    // The nonce comes from HMAC over SHA-256, whatever was signed: it need only be secret and its own.
    let signed = key.sign_prehash(digest);
    let signature: DerSignature = signed.map_err(|error| SignError::Key(error.to_string()))?;
    Ok(signature.as_bytes().to_vec())
}

fn query_of(parameters: &[(&str, String)]) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

fn cookie_name(parameter: &str) -> &'static str {
    match parameter {
        "Expires" => "CloudFront-Expires",
        "Policy" => "CloudFront-Policy",
        "Signature" => "CloudFront-Signature",
        "Key-Pair-Id" => "CloudFront-Key-Pair-Id",
        _ => "CloudFront-Hash-Algorithm",
    }
}

/// Base64 in CloudFront's own alphabet, whose last three characters need no encoding in a query.
fn encode(bytes: &[u8]) -> String {
    let own = |character| match character {
        '+' => '-',
        '=' => '_',
        '/' => '~',
        other => other,
    };
    STANDARD.encode(bytes).chars().map(own).collect()
}

fn read_key(pem: &str) -> Result<Key, KeyError> {
    let (label, block) = private_block(pem)?;
    let unreadable = |error: &dyn fmt::Display| KeyError::Unreadable(error.to_string());
    match label {
        "RSA PRIVATE KEY" => {
            rsa(PrivateKey::from_pkcs1_pem(block).map_err(|error| unreadable(&error))?)
        }
        "EC PRIVATE KEY" => {
            let key = p256::SecretKey::from_sec1_pem(block).map_err(|error| unreadable(&error))?;
            Ok(Key::P256(key.into()))
        }
        "PRIVATE KEY" => match PrivateKey::from_pkcs8_pem(block) {
            Ok(key) => rsa(key),
            Err(_) => {
                let key = p256::SecretKey::from_pkcs8_pem(block);
                Ok(Key::P256(key.map_err(|error| unreadable(&error))?.into()))
            }
        },
        "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
        "OPENSSH PRIVATE KEY" => Err(KeyError::OpenSsh),
        other => Err(KeyError::Unreadable(format!("a block of {other:?}"))),
    }
}

fn rsa(key: PrivateKey) -> Result<Key, KeyError> {
    match key.n().bit_width() as usize {
        RSA_BITS => Ok(Key::Rsa(Box::new(key))),
        bits => Err(KeyError::RsaSize(bits)),
    }
}

/// The label and text of the first private key. Other blocks may stand before it: OpenSSL puts the
/// name of the curve there.
fn private_block(pem: &str) -> Result<(&str, &str), KeyError> {
    const BEGIN: &str = "-----BEGIN ";
    let mut rest = pem;
    while let Some(start) = rest.find(BEGIN) {
        let block = &rest[start..];
        let (label, _) = block[BEGIN.len()..].split_once("-----").ok_or(KeyError::NoKey)?;
        let end = format!("-----END {label}-----");
        let length = block.find(&end).ok_or(KeyError::NoKey)? + end.len();
        if label.ends_with("PRIVATE KEY") {
            let text = &block[..length];
            // Keys of OpenSSL before 1.0 say it inside of the block (RFC 1421, 4.6.1.1).
            return match text.contains("ENCRYPTED") {
                true => Err(KeyError::Encrypted),
                false => Ok((label, text)),
            };
        }
        rest = &block[length..];
    }
    Err(if pem.contains("PUBLIC KEY-----") { KeyError::Public } else { KeyError::NoKey })
}
