//! Signatures: byte for byte as botocore and the library cryptography make them.

use base64::Engine as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use proptest::prelude::*;
use sha1::{Digest as _, Sha1};
use vodmill_delivery::{Epoch, PolicyError, UrlError};
use vodmill_delivery::{Hash, KeyError, Policy, Resource, SignError, SignableUrl, Signer};

const TABLE: &str = include_str!("../golden/cloudfront.tsv");
const RSA: &str = include_str!("../keys/rsa-pkcs8.pem");
const EC: &str = include_str!("../keys/ec-pkcs8.pem");

struct Case<'a> {
    key: &'a str,
    hash: Hash,
    url: SignableUrl,
    policy: Policy,
    signed: &'a str,
}

fn cases() -> Vec<Case<'static>> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| case(row).expect("a row")).collect()
}

fn case(row: &'static str) -> Option<Case<'static>> {
    let mut cells = row.split('\t');
    let mut next = || cells.next();
    let (key, hash, url, resource) = (next()?, next()?, next()?, next()?);
    let (expires, from, address, signed) = (next()?, next()?, next()?, next()?);
    let url: SignableUrl = url.parse().expect("a URL");
    let resource = match resource {
        "" => Resource::from(url.clone()),
        given => given.parse().expect("a resource"),
    };
    let time = |text: &str| Epoch(text.parse().expect("seconds"));
    let mut policy = Policy::new(resource, time(expires)).expect("a policy");
    if !from.is_empty() {
        policy = policy.starting(time(from)).expect("a start");
    }
    if !address.is_empty() {
        policy = policy.only_from(address.parse().expect("an address"));
    }
    let hash = if hash == "sha1" { Hash::Sha1 } else { Hash::Sha256 };
    Some(Case { key, hash, url, policy, signed })
}

impl Case<'_> {
    fn signer(&self) -> Signer {
        let (id, pem) = match self.key {
            "rsa" => ("K2JCJMDEHXQW5F", RSA),
            _ => ("KECDSAP256EXAMPLE", EC),
        };
        Signer::new(id, pem, self.hash).expect("a signer")
    }

    /// Without what a nonce decides.
    fn split(text: &str) -> (String, String) {
        let (before, after) = text.split_once("Signature=").expect("a signature");
        let (signature, after) = after.split_once('&').expect("an id");
        (format!("{before}{after}"), signature.to_owned())
    }
}

#[test]
fn urls_are_those_of_botocore() {
    let cases = cases();
    assert!(cases.len() >= 50, "{}", cases.len());
    let verifying = VerifyingKey::from(p256_key());
    let mut compared = 0;
    for case in &cases {
        let ours = case.signer().url(&case.url, &case.policy).expect("signed");
        if (case.key, case.hash) != ("ec", Hash::Sha1) {
            assert_eq!(ours, case.signed);
            compared += 1;
            continue;
        }
        // Two good signatures of one message.
        let (rest, signature) = Case::split(&ours);
        let (their_rest, theirs) = Case::split(case.signed);
        assert_eq!(rest, their_rest);
        let digest = Sha1::digest(case.policy.to_json());
        for one in [signature, theirs] {
            let signature = Signature::from_der(&decode(&one)).expect("DER");
            verifying.verify_prehash(&digest, &signature).expect("verifies");
        }
    }
    assert!(compared >= 50, "{compared} byte for byte");
}

fn p256_key() -> p256::ecdsa::SigningKey {
    use p256::pkcs8::DecodePrivateKey as _;
    p256::ecdsa::SigningKey::from_pkcs8_pem(EC).expect("a key")
}

fn decode(text: &str) -> Vec<u8> {
    let usual = text.replace('-', "+").replace('_', "=").replace('~', "/");
    base64::engine::general_purpose::STANDARD.decode(usual).expect("base64")
}

#[test]
fn every_form_of_a_key_signs_the_same() {
    let policy = cases().remove(0).policy;
    for forms in [
        [RSA, include_str!("../keys/rsa-pkcs1.pem")],
        // With the name of the curve before it, as OpenSSL writes it.
        [EC, include_str!("../keys/ec-sec1.pem")],
    ] {
        let query = |pem: &str| {
            Signer::new("K1", pem, Hash::Sha256).expect("a signer").query(&policy).expect("signed")
        };
        assert_eq!(query(forms[0]), query(forms[1]));
    }
}

#[test]
fn cookies_say_what_the_query_of_a_url_says() {
    for case in cases().iter().filter(|case| case.key == "rsa") {
        let signer = case.signer();
        let cookies = signer.cookies(&case.policy).expect("cookies");
        let pairs: Vec<String> = cookies
            .iter()
            .map(|one| format!("{}={}", one.name.trim_start_matches("CloudFront-"), one.value))
            .collect();
        assert!(case.signed.ends_with(&pairs.join("&")), "{pairs:?} of {}", case.signed);
    }
}

#[test]
fn keys_that_cannot_sign_say_what_to_do() {
    let fault = |pem: &str| Signer::new("K1", pem, Hash::Sha1).expect_err("no key");
    assert_eq!(fault(""), KeyError::NoKey);
    assert_eq!(fault("-----BEGIN RSA PRIVATE KEY-----\nMIIE"), KeyError::NoKey);
    assert_eq!(fault(include_str!("../keys/rsa-public.pem")), KeyError::Public);
    assert_eq!(fault(include_str!("../keys/rsa-3072.pem")), KeyError::RsaSize(3072));
    assert_eq!(fault(include_str!("../keys/ec-encrypted.pem")), KeyError::Encrypted);
    assert!(matches!(fault(include_str!("../keys/ec-p384.pem")), KeyError::Unreadable(_)));
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----";
    assert_eq!(fault(old), KeyError::Encrypted);
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
    assert_eq!(fault(ssh), KeyError::OpenSsh);
    let torn = RSA.replacen("MII", "MIJ", 1);
    assert!(matches!(fault(&torn), KeyError::Unreadable(_)));
    for id in ["", "K 1", "K1&x=y", "é"] {
        let refused = Signer::new(id, RSA, Hash::Sha1).expect_err("no id");
        assert_eq!(refused, KeyError::KeyPairId(id.to_owned()));
    }
}

#[test]
fn no_secret_shows_when_printed() {
    let case = cases().remove(0);
    let signer = case.signer();
    let cookies = signer.cookies(&case.policy).expect("cookies");
    let shown = format!("{signer:?} {cookies:?}");
    assert!(shown.len() < 400, "{shown}");
    assert!(cookies.iter().all(|cookie| !shown.contains(&cookie.value) || cookie.value.len() < 20));
}

#[test]
fn what_is_no_url_is_refused() {
    let fault = |text: &str| text.parse::<SignableUrl>().expect_err(text);
    assert!(matches!(fault("/talk/index.m3u8"), UrlError::Scheme(_)));
    assert!(matches!(fault("ftp://host/x"), UrlError::Scheme(_)));
    assert!(matches!(fault("https:///x"), UrlError::NoHost(_)));
    assert!(matches!(fault("https://:443/x"), UrlError::NoHost(_)));
    assert_eq!(fault("https://me:secret@host/x"), UrlError::UserInfo);
    assert_eq!(fault("https://host/x#t=1"), UrlError::Fragment);
    assert_eq!(fault("https://host/a b"), UrlError::Character { character: ' ', at: 14 });
    assert_eq!(fault("https://host/é"), UrlError::Character { character: 'é', at: 13 });
    for odd in ["\"", "\\", "<", "\n", "\0", "{"] {
        assert!(matches!(fault(&format!("https://h/{odd}")), UrlError::Character { at: 10, .. }));
    }
    assert_eq!(fault("https://host/%2"), UrlError::Percent(13));
    assert_eq!(fault("https://host/%zz"), UrlError::Percent(13));
    assert_eq!(fault("https://host/%\u{e9}"), UrlError::Percent(13));
    assert_eq!(fault("https://host/x?Policy=1"), UrlError::Reserved("Policy".into()));
    assert_eq!(fault("https://host/x?a=1&Expires"), UrlError::Reserved("Expires".into()));
    assert_eq!(fault("https://host/*"), UrlError::Wildcard);
    assert!("*".parse::<Resource>().is_err());
}

#[test]
fn what_is_no_policy_is_refused() {
    let resource: Resource = "https://host/*".parse().expect("a resource");
    let late = Policy::new(resource.clone(), Epoch(2_147_483_648));
    assert_eq!(late, Err(PolicyError::TooLate(Epoch(2_147_483_648))));
    let policy = Policy::new(resource, Epoch(10)).expect("a policy");
    let never = policy.starting(Epoch(10));
    assert_eq!(never, Err(PolicyError::NeverValid { from: Epoch(10), expires: Epoch(10) }));
    let fault = |text: &str| text.parse::<vodmill_delivery::AddressRange>().expect_err(text);
    assert!(matches!(fault("::1"), PolicyError::Ipv6(_)));
    for text in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+8", "256.0.0.1", "1.2.3.4/008"] {
        assert!(matches!(fault(text), PolicyError::Address(_)), "{text}");
    }
    let told = fault("192.0.2.7/24").to_string();
    assert!(told.ends_with("write 192.0.2.0/24"), "{told}");
}

#[test]
fn a_policy_signs_only_what_it_covers() {
    let signer = cases().remove(0).signer();
    let policy = |resource: &str| {
        Policy::new(resource.parse().expect("a resource"), Epoch(9)).expect("a policy")
    };
    let url = |text: &str| text.parse::<SignableUrl>().expect("a URL");
    for (resource, good, bad) in [
        ("https://h/a/*", "https://h/a/b/c.ts", "https://h/ab/c.ts"),
        ("https://h/?.ts", "https://h/1.ts", "https://h/12.ts"),
        ("http*://*/x*y", "https://h/xzy", "https://h/xz"),
        ("https://h/*a*b", "https://h/aab", "https://h/aba"),
    ] {
        let policy = policy(resource);
        assert!(signer.url(&url(good), &policy).is_ok(), "{resource} {good}");
        let refused = signer.url(&url(bad), &policy);
        assert!(matches!(refused, Err(SignError::NotCovered { .. })), "{resource} {bad}");
    }
}

/// `*` by trying every split, which is slow and plainly right.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        Some((one, rest)) => text
            .split_first()
            .is_some_and(|(first, after)| (*one == b'?' || one == first) && fits(rest, after)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_policy_is_json_that_says_its_resource(
        text in "(https?://|http\\*://)?\\PC{0,40}", expires in 0..2_147_483_648_u64
    ) {
        if let Ok(resource) = text.parse::<Resource>() {
            let policy = Policy::new(resource, Epoch(expires)).expect("a policy");
            let json: serde_json::Value = serde_json::from_str(&policy.to_json()).expect("JSON");
            let statement = &json["Statement"][0];
            prop_assert_eq!(statement["Resource"].as_str(), Some(text.as_str()));
            let until = &statement["Condition"]["DateLessThan"]["AWS:EpochTime"];
            prop_assert_eq!(until.as_u64(), Some(expires));
            prop_assert!(!policy.to_json().contains(char::is_whitespace));
        }
        // Whatever it is, looking at it is safe.
        let _ = text.parse::<SignableUrl>();
        let _ = text.parse::<vodmill_delivery::AddressRange>();
    }

    #[test]
    fn wildcards_match_what_they_say(pattern in "[ab*?]{0,8}", text in "[ab?]{0,10}") {
        let resource: Resource = format!("https://h/{pattern}").parse().expect("a resource");
        let url: SignableUrl = format!("https://h/{text}").parse().expect("a URL");
        prop_assert_eq!(resource.matches(&url), fits(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn a_name_in_a_url_is_itself_and_no_wildcard(name in "\\PC{0,30}") {
        let url = format!("https://h/{}", vodmill_delivery::encode_path(&name));
        let resource: Resource = url.parse().expect("a resource");
        prop_assert!(!resource.has_wildcard() && !url.contains('?'));
        let url: SignableUrl = url.parse().expect("a URL");
        prop_assert!(resource.matches(&url));
    }
}
