//! Viewers' tokens, as anybody can send them; files of secrets and of JWK sets.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vodmill_api::Credentials;
use vodmill_api::token::Scope;
use vodmill_api::token::jwt::{Expected, JwkSet};
use vodmill_api::token::own::{Order, Secrets};

static SECRETS: LazyLock<Secrets> = LazyLock::new(|| {
    Secrets::parse(&format!("t1 {}\n", "07".repeat(32))).expect("secrets")
});
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let secret = r#"{"kty":"oct","k":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#;
    JwkSet::parse(&format!(r#"{{"keys":[{secret}]}}"#)).expect("a JWK set")
});

fuzz_target!(|text: &str| {
    // Nobody finds a secret of 32 bytes by trying.
    if SECRETS.check(text, 1).is_ok() {
        assert!(text.starts_with("vm1.t1."), "{text}");
    }
    let _ = KEYS.check(text, &Expected::default(), 1);
    if let Some(scope) = Scope::parse(text) {
        assert_eq!(Scope::parse(&scope.to_string()), Some(scope.clone()));
        let token = SECRETS.mint(&Order { scope: scope.clone(), expires: 2, address: None });
        let grant = SECRETS.check(&token, 1).expect("what was made is read");
        assert_eq!(grant.assets, [scope]);
    }
    let _ = Secrets::parse(text);
    let _ = JwkSet::parse(text);
    let _ = Credentials::parse(text);
});
