//! Operators and segmenters: who may make keys, and who may end them.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;

use crate::token::own::hex;

/// The most credentials of a file.
const MAX_CREDENTIALS: usize = 256;

/// What a credential is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Makes key sets and reads them, to encrypt with.
    Segmenter,
    /// Lists, rotates, revokes and rewraps; reads no key.
    Operator,
}

/// Hashed secrets with their roles and names.
#[derive(Debug, Clone)]
pub struct Credentials(Vec<Credential>);

#[derive(Clone)]
struct Credential {
    role: Role,
    name: String,
    hash: [u8; 32],
}

impl Credentials {
    /// From a file of lines `ROLE NAME HASH`: `segmenter` or `operator`, a name for the log, and the
    /// SHA-256 of a secret in hex. Empty lines and those that begin with `#` do not count.
    ///
    /// The hash is a plain one: secrets are 32 random bytes, which cannot be found by trying.
    ///
    /// # Errors
    /// Says which line is wrong.
    pub fn parse(text: &str) -> Result<Credentials, String> {
        let mut credentials = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || format!("line {}: not a role, a name and 64 hex digits", number + 1);
            credentials.push(Credential::parse(line).ok_or_else(bad)?);
        }
        match credentials.len() {
            0..=MAX_CREDENTIALS => Ok(Credentials(credentials)),
            _ => Err(format!("more than {MAX_CREDENTIALS} credentials")),
        }
    }

    /// Role and name of the owner of this secret. All are compared, each in constant time.
    pub fn find(&self, secret: &str) -> Option<(Role, &str)> {
        let hash = digest(&SHA256, secret.as_bytes());
        let mut found = None;
        for one in &self.0 {
            if bool::from(one.hash[..].ct_eq(hash.as_ref())) {
                found = Some((one.role, one.name.as_str()));
            }
        }
        found
    }

    /// The line of a file for this secret.
    pub fn line(role: Role, name: &str, secret: &str) -> String {
        let hash = hex::encode(digest(&SHA256, secret.as_bytes()));
        format!("{role} {name} {hash}\n")
    }
}

impl Credential {
    fn parse(line: &str) -> Option<Credential> {
        let mut words = line.split_whitespace();
        let role = words.next()?.parse().ok()?;
        let name = words.next()?.to_owned();
        let hash = hex(words.next()?)?;
        words.next().is_none().then_some(Credential { role, name, hash })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.name)
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        match text {
            "segmenter" => Ok(Role::Segmenter),
            "operator" => Ok(Role::Operator),
            _ => Err(format!("{text:?} is neither segmenter nor operator")),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Segmenter => "segmenter",
            Role::Operator => "operator",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_hashes() {
        let lines = [
            Credentials::line(Role::Segmenter, "encoder-1", "s3cret"),
            "# a note\n\n".to_owned(),
            Credentials::line(Role::Operator, "ada", "other"),
        ];
        let text = lines.concat();
        assert!(!text.contains("s3cret"));
        let credentials = Credentials::parse(&text).expect("valid");
        assert_eq!(credentials.find("s3cret"), Some((Role::Segmenter, "encoder-1")));
        assert_eq!(credentials.find("other"), Some((Role::Operator, "ada")));
        assert_eq!(credentials.find("s3cre"), None);
        for bad in ["operator ada", "root ada 00", "operator ada zz", &format!("{text} more")] {
            assert!(Credentials::parse(bad).is_err(), "{bad}");
        }
    }
}
