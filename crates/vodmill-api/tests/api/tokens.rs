//! Tokens, by themselves: vectors of the RFC, and hostile ones.

use std::net::IpAddr;

use vodmill_api::token::jwt::{Expected, JwkSet};
use vodmill_api::token::own::{Order, Secrets};
use vodmill_api::token::{Grant, MAX_TOKEN, Scope, TokenError};

const SECRETS: &str = "\
# new
b 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
a ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
";

fn secrets(text: &str) -> Secrets {
    Secrets::parse(text).expect("secrets")
}

fn order(scope: &str) -> Order {
    Order { scope: Scope::parse(scope).expect("a scope"), expires: 1000, address: None }
}

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn what_is_made_is_read_again() {
    let secrets = secrets(SECRETS);
    let address: IpAddr = "2001:db8::1".parse().expect("an address");
    for scope in ["talk", "shows/*", "*", "Äpfel \"1\"/x"] {
        for address in [None, Some(address)] {
            let order = Order { address, ..order(scope) };
            let token = secrets.mint(&order);
            assert!(
                token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
            );
            let (assets, expires) = (vec![order.scope], order.expires);
            let grant = Grant { assets, address, expires, viewer: "b".into() };
            assert_eq!(secrets.check(&token, 999), Ok(grant));
            assert_eq!(secrets.check(&token, 1000), Err(TokenError::Expired));
        }
    }
}

#[test]
fn the_form_does_not_change() {
    // Made by Python's hmac and base64: others make tokens too.
    let token = "vm1.b.1000.dGFsaw..TKqFGhbCZm4u-Qdj4bEtYp0iUZcHgCODZRcjw4wkQl0";
    let secrets = secrets(SECRETS);
    assert_eq!(secrets.mint(&order("talk")), token);
}

#[test]
fn secrets_change_in_turn() {
    let old = secrets(
        SECRETS.rsplit_once("a ").map(|(_, line)| format!("a {line}")).expect("a").as_str(),
    );
    let token = old.mint(&order("talk"));
    assert_eq!(secrets(SECRETS).check(&token, 1).map(|grant| grant.viewer), Ok("a".into()));
    let gone = secrets(SECRETS.split_once("a ff").expect("two").0);
    assert_eq!(gone.check(&token, 1), Err(TokenError::UnknownKey));
    for bad in ["", "a", "a 00", "a.b 00", &format!("{SECRETS}{SECRETS}"), "a zz"] {
        let error = Secrets::parse(bad).err();
        assert!(error.is_some_and(|error| !error.contains("0001")), "{bad:?}");
    }
    assert!(!format!("{:?}", secrets(SECRETS)).contains("0001"));
}

#[test]
fn every_change_is_noticed() {
    let secrets = secrets(SECRETS);
    let address = "192.0.2.7".parse().ok();
    let token = secrets.mint(&Order { address, ..order("shows/*") });
    let mut dice = Dice(1);
    let letters = b"ABab01.-_=%/ \0\xff";
    for _ in 0..20_000 {
        let mut bytes = token.clone().into_bytes();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 => bytes[at] = letters[dice.below(letters.len())],
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, letters[dice.below(letters.len())]),
            }
        }
        let changed = String::from_utf8_lossy(&bytes).into_owned();
        let checked = secrets.check(&changed, 1);
        assert!(changed == token || checked.is_err(), "{changed}: {checked:?}");
    }
    for end in 0..token.len() {
        assert!(secrets.check(&token[..end], 1).is_err());
    }
    assert_eq!(secrets.check(&"a".repeat(MAX_TOKEN + 1), 1), Err(TokenError::TooLong));
}

#[test]
fn a_grant_is_for_its_assets_and_its_address() {
    let here: IpAddr = "192.0.2.7".parse().expect("an address");
    let mapped: IpAddr = "::ffff:192.0.2.7".parse().expect("an address");
    let there: IpAddr = "192.0.2.8".parse().expect("an address");
    let grant = |scope: &str| Grant {
        assets: vec![Scope::parse(scope).expect("a scope")],
        address: Some(here),
        expires: 1000,
        viewer: String::new(),
    };
    assert_eq!(grant("talk").permits("talk", mapped), Ok(()));
    assert_eq!(grant("talk").permits("talk", there), Err(TokenError::OtherAddress));
    for (scope, asset, holds) in [
        ("talk", "talk2", false),
        ("shows/*", "shows/a/b", true),
        ("shows/*", "shows", false),
        ("shows/*", "shows2/a", false),
        ("*", "anything", true),
    ] {
        let permitted = grant(scope).permits(asset, here);
        let wanted = if holds { Ok(()) } else { Err(TokenError::OtherAsset) };
        assert_eq!(permitted, wanted, "{scope} {asset}");
    }
    for bad in ["", "show*", "a*b*", "a\nb", &"a".repeat(2000)] {
        assert_eq!(Scope::parse(bad), None, "{bad:?}");
    }
}

/// RFC 7515, A.1 to A.3: one claim set, which names no asset.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const VECTORS: [(&str, &str, &str); 3] = [
    (
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ),
    (
        r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}"#,
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
    (
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
];

fn jwks(keys: &[&str]) -> JwkSet {
    JwkSet::parse(&format!(r#"{{"keys":[{}]}}"#, keys.join(","))).expect("a JWK set")
}

#[test]
fn signatures_of_the_rfc_are_good() {
    let all: Vec<&str> = VECTORS.iter().map(|(key, ..)| *key).collect();
    let check = |set: &JwkSet, token: &str| set.check(token, &Expected::default(), 1_300_819_379);
    for (key, header, signature) in VECTORS {
        let token = format!("{header}.{CLAIMS}.{signature}");
        // Its signature is good; then it is seen to name no asset.
        assert_eq!(check(&jwks(&[key]), &token), Err(TokenError::Incomplete));
        assert_eq!(check(&jwks(&all), &token), Err(TokenError::Incomplete));
        let late = jwks(&all).check(&token, &Expected::default(), 1_300_819_380);
        assert_eq!(late, Err(TokenError::Expired));
        let changed = format!("{header}.{}.{signature}", CLAIMS.replace("ODA", "ODE"));
        assert_eq!(check(&jwks(&all), &changed), Err(TokenError::BadSignature));
        let others: Vec<&str> = all.iter().filter(|one| **one != key).copied().collect();
        assert_eq!(check(&jwks(&others), &token), Err(TokenError::UnknownKey));
    }
}

/// A token of these claims, as whoever has the secret makes it.
fn hs256(header: &str, claims: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[7; 32]);
    let said = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mac = ring::hmac::sign(&key, said.as_bytes());
    format!("{said}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()))
}

#[test]
fn claims_count() {
    let secret = r#"{"kty":"oct","kid":"k1","k":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#;
    let set = jwks(&[r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, secret]);
    let header = r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#;
    let expected = Expected { issuer: Some("shop".into()), audience: Some("keys".into()) };
    let whole = r#"{"exp":1000.5,"nbf":100,"iss":"shop","aud":["keys","x"],"sub":"ada\n","asset":["talk","shows/*"],"ip":"192.0.2.7"}"#;
    let check = |claims: &str| set.check(&hs256(header, claims), &expected, 500);
    let grant = check(whole).expect("a good token");
    assert_eq!(grant.viewer, "ada");
    assert_eq!(grant.permits("shows/a", "192.0.2.7".parse().expect("an address")), Ok(()));
    for (from, to, error) in [
        ("1000.5", "500", TokenError::Expired),
        (r#""exp":1000.5,"#, "", TokenError::Incomplete),
        (r#""nbf":100"#, r#""nbf":600"#, TokenError::NotYet),
        ("shop", "shed", TokenError::OtherService),
        (r#"["keys","x"]"#, r#""x""#, TokenError::OtherService),
        (r#""asset":["talk","shows/*"],"#, "", TokenError::Incomplete),
        (r#"["talk","shows/*"]"#, "[]", TokenError::Incomplete),
        ("shows/*", "sho*", TokenError::Malformed),
        ("192.0.2.7", "here", TokenError::Malformed),
        ("1000.5", "\"soon\"", TokenError::Malformed),
    ] {
        assert_eq!(check(&whole.replace(from, to)), Err(error), "{from} {to}");
    }
    let plain = set.check(&hs256(header, whole), &Expected::default(), 500);
    assert_eq!(plain, Err(TokenError::OtherService), "a token for somebody is not for everybody");
    for (header, error) in [
        (r#"{"alg":"none"}"#, TokenError::UnknownKey),
        (r#"{"alg":"HS512"}"#, TokenError::UnknownKey),
        (r#"{"alg":"HS256","kid":"k2"}"#, TokenError::UnknownKey),
        (r#"{"alg":"HS256","crit":["b64"]}"#, TokenError::Malformed),
        ("[]", TokenError::Malformed),
    ] {
        assert_eq!(set.check(&hs256(header, whole), &expected, 500), Err(error), "{header}");
    }
    for token in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "....", &"x.".repeat(1000)] {
        assert!(set.check(token, &expected, 500).is_err(), "{token}");
    }
}

#[test]
fn a_public_key_is_no_secret_to_sign_with() {
    // The oldest trick: HS256 with the public key of RS256.
    let set = jwks(&[VECTORS[1].0, VECTORS[2].0]);
    let token = hs256(r#"{"alg":"HS256"}"#, r#"{"exp":1000,"asset":"*"}"#);
    assert_eq!(set.check(&token, &Expected::default(), 1), Err(TokenError::UnknownKey));
    for bad in [
        "",
        "[]",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#,
        r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
        r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
        r#"{"keys":[{"kty":"OKP"}]}"#,
        r#"{"keys":[{"kty":"oct","use":"enc","k":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}]}"#,
    ] {
        assert!(JwkSet::parse(bad).is_err(), "{bad}");
    }
}
