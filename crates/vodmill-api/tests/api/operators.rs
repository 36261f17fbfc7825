//! Segmenters and operators.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use vodmill_api::{Credentials, KeySettings, Role, Server};
use vodmill_keys::conformance::{key_store_conformance, key_store_survives};
use vodmill_keys::{
    GenerationKeys, HttpKeyStore, HttpSettings, KeySet, KeyStore, KeyStoreError, Kid,
    MemoryKeyStore, StoredKey,
};

use crate::client::{Answer, ask, key_server, secret_file};

pub const SEGMENTER: &str = "the secret of a segmenter";
pub const OPERATOR: &str = "the secret of an operator";

pub struct House {
    pub server: Server,
    pub folder: TempDir,
}

/// A file that knows a segmenter and an operator.
pub fn credentials(folder: &TempDir) -> PathBuf {
    let lines = [
        Credentials::line(Role::Segmenter, "encoder", SEGMENTER),
        Credentials::line(Role::Operator, "ada", OPERATOR),
    ];
    secret_file(folder, "credentials", &lines.concat())
}

pub fn house() -> House {
    let folder = tempfile::tempdir().expect("scratch");
    let credentials = Some(credentials(&folder));
    let settings = KeySettings { credentials, ..KeySettings::default() };
    let server = key_server(Arc::new(MemoryKeyStore::new()), settings);
    House { server, folder }
}

impl House {
    fn ask(&self, secret: &str, method: &str, path: &str, body: &str) -> Answer {
        let header = format!("authorization: Bearer {secret}\r\n");
        ask(self.server.address(), method, path, &header, body)
    }

    fn key(&self, kid: &str) -> u16 {
        ask(self.server.address(), "GET", &format!("/k/{kid}"), "", "").status
    }
}

fn kids(answer: &Answer) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let kid = |value: &serde_json::Value| {
        let kid = value.get("kid").unwrap_or(value);
        kid.as_str().expect("a kid").to_owned()
    };
    let list = json.get("keys").or(json.get("kids")).expect("keys");
    list.as_array().expect("a list").iter().map(kid).collect()
}

#[test]
fn keys_are_made_rotated_and_revoked() {
    let house = house();
    let order = r#"{"asset":"talk","generation":"g1","periods":2,"max_age":60}"#;
    let made = house.ask(SEGMENTER, "POST", "/v1/keys", order);
    assert_eq!(made.status, 200, "{}", made.text());
    let first = kids(&made);
    assert_eq!(house.ask(SEGMENTER, "POST", "/v1/keys", order).text(), made.text(), "once");
    let read = house.ask(SEGMENTER, "GET", "/v1/keys?asset=talk&generation=g1", "");
    assert_eq!(read.text(), made.text());
    assert_eq!(first.iter().map(|kid| house.key(kid)).collect::<Vec<_>>(), [200, 200]);

    let order = r#"{"asset":"talk","generation":"g2","periods":1,"grace_seconds":3600}"#;
    let rotated = house.ask(OPERATOR, "POST", "/v1/rotate", order);
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    assert!(!rotated.text().contains("\"key\""), "an operator sees no key");
    assert_eq!(house.key(&kids(&rotated)[0]), 200);
    assert_eq!(house.key(&first[0]), 200, "in the grace time");

    let order = r#"{"asset":"talk","generation":"g1"}"#;
    assert_eq!(house.ask(OPERATOR, "POST", "/v1/revoke", order).status, 200);
    assert_eq!(house.key(&first[0]), 410, "at once on this server");
    assert_eq!(house.key(&kids(&rotated)[0]), 200);
    let listed = house.ask(OPERATOR, "GET", "/v1/generations", "").text();
    assert!(listed.contains(&first[1]) && listed.contains("\"ends\""), "{listed}");
    let nothing = house.ask(OPERATOR, "POST", "/v1/revoke", r#"{"asset":"other"}"#);
    assert_eq!(nothing.status, 404);
    assert_eq!(house.ask(OPERATOR, "POST", "/v1/rewrap", "").text(), r#"{"rewrapped":0}"#);
}

#[test]
fn each_credential_is_for_its_role() {
    let house = house();
    for (secret, method, path, status) in [
        ("wrong", "GET", "/v1/generations", 401),
        ("wrong", "POST", "/v1/revoke", 401),
        (OPERATOR, "POST", "/v1/keys", 403),
        (OPERATOR, "GET", "/v1/keys?asset=a&generation=g", 403),
        (SEGMENTER, "POST", "/v1/revoke", 403),
        (SEGMENTER, "POST", "/v1/rotate", 403),
        (SEGMENTER, "POST", "/v1/rewrap", 403),
        (SEGMENTER, "DELETE", "/v1/keys", 405),
    ] {
        let answer = house.ask(secret, method, path, "{}");
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
    }
    let none = ask(house.server.address(), "GET", "/v1/generations", "", "");
    assert_eq!((none.status, none.header("www-authenticate")), (401, Some("Bearer")));
}

#[test]
fn wrong_orders_are_refused_and_not_repeated() {
    let house = house();
    let fifteen = "aa".repeat(15);
    let kid = "bb".repeat(16);
    let seed = "cc".repeat(32);
    let key = |key: &str| {
        format!(
            r#"{{"asset":"a","generation":"g","iv_seed":"{seed}","keys":[{{"kid":"{kid}","key":"{key}"}}]}}"#
        )
    };
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        (r#"{"asset":"a"}"#, 400),
        (r#"{"asset":"","generation":"g","periods":1}"#, 400),
        (r#"{"asset":"a\nb","generation":"g","periods":1}"#, 400),
        (r#"{"asset":"a","generation":"g","periods":0}"#, 400),
        (r#"{"asset":"a","generation":"g","periods":1000000000}"#, 400),
        (r#"{"asset":"a","generation":"g","periods":1,"more":1}"#, 400),
        (r#"{"asset":"a","generation":"g","keys":[],"periods":1}"#, 400),
        (&key(&fifteen), 400),
        (&key(&format!("{fifteen}zz")), 400),
        (&format!(r#"{{"asset":"a","generation":"g","iv_seed":"{seed}","keys":[]}}"#), 422),
        (&"[".repeat(100_000), 400),
        (&" ".repeat(17 << 20), 413),
    ] {
        let answer = house.ask(SEGMENTER, "POST", "/v1/keys", body);
        let start = &body[..body.len().min(300)];
        assert_eq!(answer.status, status, "{start}: {}", answer.text());
        assert!(!answer.text().contains(&fifteen), "{}", answer.text());
        let json: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert!(json["error"].is_string() && json["message"].is_string());
    }
    assert_eq!(house.ask(SEGMENTER, "GET", "/v1/keys?asset=a", "").status, 400);
    assert_eq!(house.ask(SEGMENTER, "GET", "/v1/keys?asset=a&generation=g", "").status, 404);
    assert_eq!(house.ask(SEGMENTER, "GET", "/v1/keys/zz", "").status, 404);
}

/// Either role alone cannot do all that a key store can.
struct Both {
    segmenter: HttpKeyStore,
    operator: HttpKeyStore,
}

impl KeyStore for Both {
    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet, KeyStoreError> {
        self.segmenter.put(asset, generation, keys)
    }

    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>, KeyStoreError> {
        KeyStore::get(&self.segmenter, kid)
    }

    fn of_generation(
        &self,
        asset: &str,
        generation: &str,
    ) -> Result<Option<KeySet>, KeyStoreError> {
        self.segmenter.of_generation(asset, generation)
    }

    fn expire(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>, KeyStoreError> {
        self.operator.expire(asset, generation, at)
    }

    fn rewrap(&self) -> Result<usize, KeyStoreError> {
        self.operator.rewrap()
    }

    fn list(&self) -> Result<Vec<GenerationKeys>, KeyStoreError> {
        self.operator.list()
    }
}

#[test]
fn over_rest_it_is_a_key_store_like_any_other() {
    let house = house();
    let store = |name: &str, secret: &str| {
        let settings = HttpSettings {
            url: format!("http://{}/", house.server.address()),
            credential: secret_file(&house.folder, name, &format!("{secret}\n")),
            authorities: None,
            timeout: std::time::Duration::from_secs(20),
        };
        HttpKeyStore::open(&settings).expect("settings")
    };
    let both = Both { segmenter: store("s", SEGMENTER), operator: store("o", OPERATOR) };
    key_store_conformance(&both).expect("contract");
    key_store_survives(&both).expect("durable");
}
