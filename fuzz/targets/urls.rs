//! URLs that are to be signed, and resources of policies: what is taken can be signed as it is, and
//! no name of an asset can open more than itself.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vodmill_delivery::{
    AddressRange, Epoch, Hash, Policy, Resource, SignableUrl, Signer, encode_path,
};

const PEM: &str = include_str!("../../crates/vodmill-delivery/tests/keys/ec-pkcs8.pem");

static SIGNER: LazyLock<Signer> =
    LazyLock::new(|| Signer::new("K1", PEM, Hash::Sha256).expect("a signer"));

fuzz_target!(|text: &str| {
    if let Ok(resource) = text.parse::<Resource>() {
        assert_eq!(resource.as_str(), text);
        let policy = Policy::new(resource.clone(), Epoch(2_000_000_000)).expect("a policy");
        // What stands in a policy stands in JSON without a word changed.
        assert!(policy.to_json().contains(&format!("\"Resource\":\"{text}\"")), "{text}");
    }
    if let Ok(url) = text.parse::<SignableUrl>() {
        let resource = Resource::from(url.clone());
        assert!(resource.matches(&url), "{text}");
        let policy = Policy::new(resource, Epoch(2_000_000_000)).expect("a policy");
        let signed = SIGNER.url(&url, &policy).expect("it covers itself");
        let added = signed.strip_prefix(text).expect("the URL comes first, as it is");
        assert!(added.starts_with(['?', '&']) || text.ends_with(['?', '&']), "{signed}");
        // What was signed is signed: nobody puts a second signature behind it.
        assert!(signed.parse::<SignableUrl>().is_err(), "{signed}");
    }
    let named = format!("https://h/{}/index.m3u8", encode_path(text));
    let resource: Resource = named.parse().expect("a name is a part of a path");
    assert!(!resource.has_wildcard() && !named.contains('?'), "{named}");
    let _ = text.parse::<AddressRange>();
    let _ = Signer::new("K1", text, Hash::Sha256);
});
