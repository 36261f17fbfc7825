//! Who gets a key over HTTP, and what the others are told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use vodmill_api::token::Scope;
use vodmill_api::token::jwt::Expected;
use vodmill_api::token::own::{Order, Secrets};
use vodmill_api::{KeyServer, KeySettings, Memory, Rate, Server, Viewers};
use vodmill_clock::{Clock as _, ManualClock, SystemClock};
use vodmill_keys::{KeySet, KeyStore as _, KeyTerms, MemoryKeyStore};

use crate::client::{Answer, ask, key_server, now, secret_file, set_mode};

const SECRETS: &str = "s1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

struct House {
    server: Server,
    store: Arc<MemoryKeyStore>,
    keys: KeySet,
    folder: TempDir,
}

fn house(change: impl FnOnce(&mut KeySettings)) -> House {
    let folder = tempfile::tempdir().expect("scratch");
    let store = Arc::new(MemoryKeyStore::new());
    let keys = KeySet::generate(2).expect("keys");
    let terms = KeyTerms { max_age: Some(600), expires: None };
    let keys = store.put("shows/talk", "g1", KeySet { terms, ..keys }).expect("stored");
    let mut settings = KeySettings {
        viewers: Viewers::Tokens(secret_file(&folder, "tokens", SECRETS)),
        origins: vec!["https://www.example.org".to_owned()],
        ..KeySettings::default()
    };
    change(&mut settings);
    let server = key_server(Arc::clone(&store) as _, settings);
    House { server, store, keys, folder }
}

fn token(scope: &str, expires: u64, address: Option<&str>) -> String {
    let address = address.map(|text| text.parse().expect("an address"));
    let scope = Scope::parse(scope).expect("a scope");
    Secrets::parse(SECRETS).expect("secrets").mint(&Order { scope, expires, address })
}

impl House {
    fn path(&self) -> String {
        format!("/k/{}", self.keys.periods[0].kid)
    }

    fn ask(&self, header: &str) -> Answer {
        ask(self.server.address(), "GET", &self.path(), header, "")
    }

    fn with(&self, token: &str) -> Answer {
        self.ask(&format!("authorization: Bearer {token}\r\n"))
    }
}

#[test]
fn a_token_opens_from_header_query_and_cookie() {
    let house = house(|_| ());
    let token = token("shows/*", now() + 60, Some("127.0.0.1"));
    let query = format!("{}?x=1&token={token}", house.path());
    for answer in [
        house.with(&token),
        house.ask(&format!("cookie: a=b; vodmill_key={token}\r\n")),
        ask(house.server.address(), "GET", &query, "", ""),
    ] {
        assert_eq!(
            (answer.status, &answer.body[..]),
            (200, &house.keys.periods[0].key.expose()[..])
        );
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert_eq!(answer.header("content-length"), Some("16"));
        assert_eq!(answer.header("cache-control"), Some("private, max-age=600"));
    }
}

#[test]
fn others_are_told_why_not() {
    let house = house(|_| ());
    let later = now() + 60;
    let good = token("shows/talk", later, None);
    for (token, status, reason) in [
        (token("shows/talk", now(), None), 401, "the token has expired\n"),
        (token("shows/other", later, None), 403, "the token is for another asset\n"),
        (token("*", later, Some("192.0.2.1")), 403, "the token is for another address\n"),
        (good.replace("vm1.s1", "vm1.s2"), 401, "the token is signed with an unknown key\n"),
        (
            good.replacen(&later.to_string(), "99999999999", 1),
            401,
            "the signature of the token is wrong\n",
        ),
        ("nonsense".to_owned(), 401, "the token is malformed\n"),
        ("x".repeat(5000), 401, "the token is too long\n"),
    ] {
        let answer = house.with(&token);
        assert_eq!((answer.status, answer.text().as_str()), (status, reason));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    let none = house.ask("");
    assert_eq!((none.status, none.text().as_str()), (401, "a token is needed\n"));
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    let unknown = format!("/k/{}", "0".repeat(32));
    let bearer = format!("authorization: Bearer {good}\r\n");
    assert_eq!(ask(house.server.address(), "GET", &unknown, &bearer, "").status, 404);
    assert_eq!(ask(house.server.address(), "GET", &unknown, "", "").status, 401);
}

#[test]
fn ended_keys_are_gone() {
    let house =
        house(|settings| settings.memory = Memory { fresh: Default::default(), ..settings.memory });
    let token = token("*", now() + 60, None);
    house.store.expire("shows/talk", "g1", now() + 100).expect("end");
    let answer = house.with(&token);
    let policy = answer.header("cache-control").expect("policy");
    let seconds: u64 =
        policy.strip_prefix("private, max-age=").expect("seconds").parse().expect("n");
    assert!(answer.status == 200 && (90..=100).contains(&seconds), "not beyond its end: {policy}");
    house.store.expire("shows/talk", "g1", now()).expect("end");
    let answer = house.with(&token);
    assert_eq!((answer.status, answer.text().as_str()), (410, "the key was revoked or replaced\n"));
}

#[test]
fn named_origins_may_read_with_cookies_and_no_others() {
    let house = house(|_| ());
    let token = token("*", now() + 60, None);
    let from =
        |origin: &str| house.ask(&format!("origin: {origin}\r\nauthorization: Bearer {token}\r\n"));
    let good = from("https://www.example.org");
    assert_eq!(good.header("access-control-allow-origin"), Some("https://www.example.org"));
    assert_eq!(good.header("access-control-allow-credentials"), Some("true"));
    assert!(good.header("vary").is_some_and(|vary| vary.contains("origin")));
    assert_eq!(from("https://evil.example").header("access-control-allow-origin"), None);
    assert_eq!(from("null").header("access-control-allow-origin"), None);
    // What goes wrong can be read by the page too.
    let refused = house.ask("origin: https://www.example.org\r\n");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://www.example.org"));
    let preflight = "origin: https://www.example.org\r\naccess-control-request-method: GET\r\n\
                     access-control-request-headers: authorization\r\n";
    let answer = ask(house.server.address(), "OPTIONS", &house.path(), preflight, "");
    assert_eq!(answer.status, 200);
    let allowed = answer.header("access-control-allow-headers").expect("headers");
    assert!(allowed.contains("authorization"), "{allowed}");
}

#[test]
fn other_methods_and_paths_lead_nowhere() {
    let house = house(|_| ());
    let bearer = format!("authorization: Bearer {}\r\n", token("*", now() + 60, None));
    let kid = house.keys.periods[0].kid;
    let head = ask(house.server.address(), "HEAD", &house.path(), &bearer, "");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("16"), 0));
    for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
        let answer = ask(house.server.address(), method, &house.path(), &bearer, "");
        assert_eq!(answer.status, 405, "{method}");
    }
    for path in [
        format!("/k/{kid}/"),
        format!("/k/../k/{kid}"),
        format!("/k//{kid}"),
        format!("/k/{kid}%00"),
        format!("/k/%2e%2e%2f{kid}"),
        format!("/k/{kid}.key"),
        "/k/%ff".to_owned(),
        "/k/".to_owned(),
        "/".to_owned(),
        "/v1/generations".to_owned(),
        "/etc/passwd".to_owned(),
    ] {
        let answer = ask(house.server.address(), "GET", &path, &bearer, "");
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert!(
            !answer.body.windows(16).any(|it| it == house.keys.periods[0].key.expose()),
            "{path}"
        );
    }
}

#[test]
fn oversized_requests_are_refused() {
    let house = house(|_| ());
    let long = format!("x-long: {}\r\n", "a".repeat(20_000));
    assert_eq!(house.ask(&long).status, 431);
    let many: String = (0..100).map(|number| format!("x-{number}: a\r\n")).collect();
    assert_eq!(house.ask(&many).status, 431);
    let path = format!("/k/{}?token={}", house.keys.periods[0].kid, "a".repeat(70_000));
    let answer = ask(house.server.address(), "GET", &path, "", "");
    assert!(matches!(answer.status, 414 | 431), "{}", answer.status);
    assert_eq!(house.ask("no colon\r\n").status, 400);
}

#[test]
fn who_asks_too_often_waits() {
    let house = house(|settings| {
        settings.viewer_rate = Rate { per_second: 1, burst: 3 };
        settings.address_rate = Rate { per_second: 1, burst: 10 };
    });
    let tokens = ["shows/talk", "*"].map(|scope| token(scope, now() + 60, None));
    let given: Vec<u16> = (0..4).map(|_| house.with(&tokens[0]).status).collect();
    assert_eq!(given, [200, 200, 200, 429]);
    assert_eq!(house.with(&tokens[1]).status, 200, "another token is not held up");
    let late = (0..10).map(|_| house.ask("")).find(|answer| answer.status == 429).expect("a limit");
    assert_eq!(late.text(), "too many requests from this address\n");
    assert!(
        late.header("retry-after").is_some_and(|wait| wait.parse().is_ok_and(|it: u32| it > 0))
    );
}

#[test]
fn a_proxy_says_who_asks() {
    let house =
        house(|settings| settings.proxies = vec!["127.0.0.0/8".parse().expect("a network")]);
    let token = token("*", now() + 60, Some("198.51.100.7"));
    let through = |chain: &str| {
        house.ask(&format!("x-forwarded-for: {chain}\r\nauthorization: Bearer {token}\r\n")).status
    };
    assert_eq!(through("6.6.6.6, 198.51.100.7"), 200);
    assert_eq!(through("198.51.100.7, 6.6.6.6"), 403);
}

#[test]
fn new_secrets_count_within_a_second() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let house = house(|settings| settings.clock = clock.clone());
    let token = token("*", now() + 60, None);
    assert_eq!(house.with(&token).status, 200);
    secret_file(&house.folder, "tokens", &SECRETS.replace("s1 00", "s2 ff"));
    clock.advance(Duration::from_secs(1));
    assert_eq!(house.with(&token).status, 401, "the secret was taken away");
    secret_file(&house.folder, "tokens", "nonsense");
    clock.advance(Duration::from_secs(1));
    assert_eq!(house.with(&token).status, 401, "a file that is wrong changes nothing");
}

#[test]
fn one_connection_serves_many_requests() {
    let house = house(|settings| settings.viewers = Viewers::Anyone);
    let mut stream = TcpStream::connect(house.server.address()).expect("connect");
    for _ in 0..3 {
        let request = format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", house.path());
        stream.write_all(request.as_bytes()).expect("ask");
        let mut answer = Vec::new();
        let mut byte = [0; 1];
        while !answer.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).expect("answer");
            answer.push(byte[0]);
        }
        let mut key = [0; 16];
        stream.read_exact(&mut key).expect("key");
        assert_eq!(&key, house.keys.periods[0].key.expose());
    }
}

#[test]
fn wrong_settings_are_refused() {
    let folder = tempfile::tempdir().expect("scratch");
    let refused = |settings: KeySettings| {
        let store = Arc::new(MemoryKeyStore::new());
        let error = KeyServer::new(store, settings).err().expect("refused");
        error.to_string()
    };
    for origin in
        ["www.example.org", "https://www.example.org/", "https://*.example.org", "ftp://a"]
    {
        let settings = KeySettings { origins: vec![origin.to_owned()], ..KeySettings::default() };
        assert!(refused(settings).contains("not an origin"), "{origin}");
    }
    let file = secret_file(&folder, "tokens", SECRETS);
    for mode in [0o644, 0o640, 0o620] {
        let command = format!("chmod 600 {}", file.display());
        set_mode(&file, mode);
        let tokens =
            KeySettings { viewers: Viewers::Tokens(file.clone()), ..KeySettings::default() };
        assert!(refused(tokens).contains(&command), "{mode:o}");
        let operators = KeySettings { credentials: Some(file.clone()), ..KeySettings::default() };
        assert!(!refused(operators).is_empty(), "{mode:o}");
    }
    let bad = secret_file(&folder, "bad", "s1 0001\n");
    let settings = KeySettings { viewers: Viewers::Tokens(bad), ..KeySettings::default() };
    let error = refused(settings);
    assert!(error.contains("line 1") && !error.contains("0001"), "{error}");
}

/// Public keys may be read, and secrets may not; nobody else may change either.
#[test]
fn a_jwk_set_is_as_private_as_its_keys() {
    let folder = tempfile::tempdir().expect("scratch");
    let public = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
    let secret = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    let private = format!(r#"{public},"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}}"#);
    let public = format!("{public}}}");
    for (key, mode, good) in [
        (public.as_str(), 0o644, true),
        (public.as_str(), 0o664, false),
        (public.as_str(), 0o646, false),
        (secret, 0o600, true),
        (secret, 0o644, false),
        (secret, 0o640, false),
        (private.as_str(), 0o600, true),
        (private.as_str(), 0o644, false),
    ] {
        let file = secret_file(&folder, "jwks", &format!(r#"{{"keys":[{key}]}}"#));
        set_mode(&file, mode);
        let viewers = Viewers::Jwt(file, Expected::default());
        let settings = KeySettings { viewers, ..KeySettings::default() };
        let store = Arc::new(MemoryKeyStore::new());
        assert_eq!(KeyServer::new(store, settings).is_ok(), good, "{mode:o} {key}");
    }
}
