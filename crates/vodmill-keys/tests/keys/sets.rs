use vodmill_keys::conformance::{key_store_conformance, key_store_survives};
use vodmill_keys::{
    KeyEncryptionKey, KeySet, KeyUriError, KeyUriTemplate, Kid, MemoryKeyStore, UnwrapError,
    WrappedKeySet,
};

#[test]
fn the_memory_store_conforms() {
    let store = MemoryKeyStore::new();
    key_store_conformance(&store).unwrap();
    key_store_survives(&store).unwrap();
}

#[test]
fn a_wrapped_set_opens_as_text_and_back() {
    let kek = KeyEncryptionKey::generate().unwrap();
    let set = KeySet::generate(3).unwrap();
    let wrapped = set.wrap(&kek, "film", "g1").unwrap();
    let text = serde_json::to_string(&wrapped).unwrap();
    for period in &set.periods {
        let clear = hex::encode(period.key.expose());
        assert!(!text.contains(&clear));
    }
    let back: WrappedKeySet = serde_json::from_str(&text).unwrap();
    assert_eq!(back.unwrap(&kek), Ok(set));
    assert!(!format!("{kek:?}").is_empty());
}

#[test]
fn a_wrong_key_and_a_changed_record_are_told_apart() {
    let kek = KeyEncryptionKey::from_bytes([1; 32]);
    let wrapped = KeySet::generate(2).unwrap().wrap(&kek, "film", "g1").unwrap();
    let other = KeyEncryptionKey::from_bytes([2; 32]);
    assert_eq!(wrapped.unwrap(&other), Err(UnwrapError::WrongKey));

    type Change = fn(&mut WrappedKeySet);
    let changes: [Change; 5] = [
        |set| set.asset = "other".into(),
        |set| set.generation = "g2".into(),
        |set| set.periods[0].kid = Kid::from_bytes([3; 16]),
        |set| {
            let first = set.periods[0].key.clone();
            set.periods[0].key = std::mem::replace(&mut set.periods[1].key, first);
        },
        |set| {
            let flipped = if set.iv_seed.sealed.starts_with('0') { "1" } else { "0" };
            set.iv_seed.sealed.replace_range(..1, flipped);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut changed = wrapped.clone();
        change(&mut changed);
        assert_eq!(changed.unwrap(&kek), Err(UnwrapError::Tampered), "change {number}");
    }
    let mut broken = wrapped.clone();
    broken.periods[0].key.nonce = "xyz".into();
    assert_eq!(broken.unwrap(&kek), Err(UnwrapError::Malformed));
    broken.periods.clear();
    assert_eq!(broken.unwrap(&kek), Err(UnwrapError::Malformed));
}

#[test]
fn key_uris_are_filled_in() {
    let kid = Kid::from_bytes([0xa5; 16]);
    let hex = "a5".repeat(16);
    let template = KeyUriTemplate::parse("https://k.example/{asset}/{generation}/{kid}.key?v=1");
    let template = template.unwrap();
    let uri = template.uri(&kid, "shows/Tatort \"1\"", "g1");
    assert_eq!(uri, format!("https://k.example/shows/Tatort%20%221%22/g1/{hex}.key?v=1"));
    assert_eq!(template.file_name(&kid), format!("{hex}.key"));
    let relative = KeyUriTemplate::parse("{kid}").unwrap();
    assert_eq!(relative.uri(&kid, "a", "g"), hex);
}

#[test]
fn a_key_uri_names_its_key() {
    let kid = Kid::from_bytes([0xa5; 16]);
    for template in [
        "{kid}",
        "https://k.example/0123456789abcdef0123456789abcdef/{kid}",
        "https://k.example/{asset}/v2-{kid}.key?from=/a/b",
    ] {
        let uri = KeyUriTemplate::parse(template).unwrap().uri(&kid, "dead/beef", "g1");
        assert_eq!(Kid::in_uri(&uri), Some(kid), "{uri}");
    }
    for uri in ["https://k.example/a5a5/key", "https://k.example/key?KID", "/k/fadeKID"] {
        assert_eq!(Kid::in_uri(&uri.replace("KID", &kid.to_string())), None, "{uri}");
    }
}

#[test]
fn bad_key_uris_are_refused() {
    let error = |template: &str| KeyUriTemplate::parse(template).unwrap_err();
    assert_eq!(error(""), KeyUriError::Length);
    assert_eq!(error(&"a".repeat(3000)), KeyUriError::Length);
    assert_eq!(error("https://k/{kid} x"), KeyUriError::Character(' '));
    assert_eq!(error("https://k/{kid}\""), KeyUriError::Character('"'));
    assert_eq!(error("https://k/{kid}/{key}"), KeyUriError::Unknown("key".into()));
    assert_eq!(error("https://k/{kid"), KeyUriError::Braces);
    assert_eq!(error("https://k/kid}"), KeyUriError::Braces);
    assert_eq!(error("https://k/{kid}/key"), KeyUriError::KidNotLast);
    assert_eq!(error("https://k/key?{kid}"), KeyUriError::KidNotLast);
    assert_eq!(error("https://{kid}"), KeyUriError::KidNotLast);
    assert_eq!(error("https://k/{asset}-{kid}"), KeyUriError::NotAFileName);
}
