//! Signatures of webhooks as Standard Webhooks 1.0 has them: HMAC-SHA256 over id, time and body.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, Result};

/// How a secret begins when it is written.
const PREFIX: &str = "whsec_";

/// The secrets that sign, at least one; more than one while the secret is being changed.
#[derive(Clone)]
pub struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    /// Reads secrets as they are written: a line each, `whsec_` and base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// [`Error::BadSecret`].
    pub fn parse(text: &str) -> Result<Secrets> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let secrets = lines.map(secret).collect::<Result<Vec<_>>>()?;
        match secrets.is_empty() {
            true => Err(Error::BadSecret("there is none")),
            false => Ok(Secrets(secrets)),
        }
    }
}

// Secrets stay out of logs.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

fn secret(line: &str) -> Result<Vec<u8>> {
    let coded = line.strip_prefix(PREFIX);
    let coded = coded.ok_or(Error::BadSecret("it does not begin with whsec_"))?;
    let bytes = STANDARD.decode(coded);
    let bytes = bytes.map_err(|_| Error::BadSecret("what follows whsec_ is no base64"))?;
    match (24..=64).contains(&bytes.len()) {
        true => Ok(bytes),
        false => Err(Error::BadSecret("it must be 24 to 64 bytes, before base64")),
    }
}

/// The header `webhook-signature`: a `v1,` and base64 for each secret, with spaces between.
/// `timestamp` is in Unix seconds.
pub fn signature(secrets: &Secrets, id: &str, timestamp: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp}.");
    let sign = |secret: &Vec<u8>| {
        // A key of any length will do.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap_or_else(|_| unreachable!());
        mac.update(head.as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    secrets.0.iter().map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the standard's own libraries sign it: computed with `standardwebhooks` 1.1.0 from PyPI.
    #[test]
    fn as_the_standard_has_it() {
        let one = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
        let body = br#"{"test": 2432232314}"#;
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let said = signature(&one, id, 1_614_265_330, body);
        assert_eq!(said, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let new = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjU";
        let two = format!("{new}\n\n whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw \n");
        let both = signature(&Secrets::parse(&two).expect("secrets"), id, 1_614_265_330, body);
        assert!(both.ends_with(&format!(" {said}")) && both.matches("v1,").count() == 2, "{both}");
    }

    #[test]
    fn weak_secrets_are_refused_and_none_is_shown() {
        let bad =
            ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "MfKQ9r8GKYqrTwjUPD8ILPZI"];
        for text in bad {
            let error = Secrets::parse(text).expect_err(text).to_string();
            assert!(text.is_empty() || text == "secret" || !error.contains(text), "{error}");
        }
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        assert!(Secrets::parse(&long).is_err());
        let good = Secrets::parse(&format!("whsec_{}", STANDARD.encode([7; 24]))).expect("good");
        assert_eq!(format!("{good:?}"), "Secrets(1)");
    }
}
