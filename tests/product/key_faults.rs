//! What players notice of a key server whose own servers are away.

use std::time::{Duration, Instant};

use vodmill_tests::product::{Daemon, Home, wait_until};
use vodmill_tests::services::{Postgres, free_ports};

use crate::key_server::{ask, is_up, make_keys, order};

const PATIENCE: Duration = Duration::from_secs(60);

/// `fresh_seconds`, `keep_seconds`, and how long the server waits for its database.
const FRESH: Duration = Duration::from_secs(1);
const KEEP: Duration = Duration::from_secs(4);
const ANSWER: Duration = Duration::from_secs(2);

/// What a loaded machine may add.
const SLACK: Duration = Duration::from_secs(2);

/// Key servers of one queue.
struct House {
    home: Home,
    postgres: Postgres,
    ports: [u16; 2],
    kids: Vec<String>,
}

impl House {
    fn new() -> House {
        let postgres = Postgres::start();
        postgres.make("keys");
        let home = Home::new();
        let (queue, port) = (postgres.database("keys"), free_ports(2));
        let times = "fresh_seconds = 1\nkeep_seconds = 4\n";
        let text = format!("queue = \"{queue}\"\nwork = \"work\"\n[key_server]\n{times}");
        home.write("vodmill.toml", &text);
        House { home, postgres, ports: [port, port + 1], kids: Vec::new() }
    }

    fn start(&self, which: usize) -> Daemon {
        let listen = format!("127.0.0.1:{}", self.ports[which]);
        let server = Daemon::key_server(&self.home, &["--listen", &listen]);
        is_up(self.ports[which]);
        server
    }

    /// Status and headers of an answer, and how long it took.
    fn key(&self, which: usize, number: usize) -> (String, Duration) {
        let begun = Instant::now();
        let (head, body) = ask(self.ports[which], &format!("/k/{}", self.kids[number]), "");
        assert_eq!(head.starts_with("HTTP/1.1 200"), body.len() == 16, "{head}");
        (head, begun.elapsed())
    }

    fn is_given(&self, which: usize, number: usize) -> bool {
        self.key(which, number).0.starts_with("HTTP/1.1 200")
    }

    /// The database goes away: who was given a key before is given it for a while, and nobody waits
    /// for what cannot be known.
    fn outage(&self, goes: impl FnOnce(&Postgres), known: usize, unknown: usize) {
        assert!(self.is_given(1, known));
        let asked = Instant::now();
        goes(&self.postgres);
        assert!(self.is_refused(unknown));
        while self.is_given(1, known) {
            assert!(asked.elapsed() < KEEP + ANSWER + SLACK, "it is given for ever");
            std::thread::sleep(Duration::from_millis(50));
        }
        // It may have been fresh when it was asked for.
        assert!(asked.elapsed() + FRESH > KEEP, "only {:?} later it was refused", asked.elapsed());
        assert!(self.is_refused(known));
    }

    /// 503 before long, and when to come again.
    fn is_refused(&self, number: usize) -> bool {
        let (head, took) = self.key(1, number);
        assert!(took < ANSWER + SLACK, "{took:?}: {head}");
        head.starts_with("HTTP/1.1 503") && head.contains("\r\nretry-after: 5")
    }

    fn is_back(&self) {
        let all = || (0..self.kids.len()).all(|number| self.is_given(1, number));
        wait_until("keys are given again", PATIENCE, || all().then_some(()));
    }
}

#[test]
fn keys_outlive_their_servers_for_a_while() {
    let mut house = House::new();
    let secret = house.home.vodmill(&["keys", "credential", "segmenter", "test"]).out;
    let mut first = house.start(0);
    house.kids = make_keys(house.ports[0], secret.trim(), 3);
    assert!(house.is_given(0, 0));
    let second = house.start(1);
    // A server that is killed: nothing was its alone.
    first.kill();
    house.outage(Postgres::kill, 0, 1);
    house.postgres.start_again();
    // Not the third key: it is to be unknown.
    wait_until("keys are given again", PATIENCE, || house.is_given(1, 1).then_some(()));
    house.outage(Postgres::stand_still, 1, 2);
    house.postgres.go_on();
    house.is_back();
    assert!(second.log().contains("key store away"));
    assert!(!second.log().contains(secret.trim()));
}

/// What nobody means well with: a clear 4xx each, nothing of it in the log however much is logged,
/// and the next one is served.
#[test]
fn what_is_wrong_is_refused_and_not_logged() {
    let home = Home::new();
    let port = free_ports(1);
    home.write("vodmill.toml", "log = \"trace\"\n[key_server]\nviewers = \"token\"\n");
    let credential = home.vodmill(&["keys", "credential", "segmenter", "test"]).out;
    let credential = credential.trim();
    let server = Daemon::key_server(&home, &["--listen", &format!("127.0.0.1:{port}")]);
    is_up(port);
    let kid = make_keys(port, credential, 1).remove(0);
    let token = home.vodmill(&["keys", "token", "--asset", "other", "--for", "1h"]).out;
    let (token, key) = (token.trim(), "5ec2e7".repeat(5));
    let (torn, long) = (&token[..token.len() - 2], "5ec2e7".repeat(4000));
    let viewers = [
        (format!("/k/{kid}"), format!("authorization: Bearer {torn}"), 401),
        (format!("/k/{kid}"), format!("authorization: Basic {token}"), 401),
        (format!("/k/{kid}?token={torn}"), String::new(), 401),
        (format!("/k/{kid}?token=%{token}"), String::new(), 401),
        (format!("/k/{kid}"), format!("cookie: vodmill_key={torn}; vodmill_key={token}"), 401),
        (format!("/k/{kid}?token={token}"), String::new(), 403),
        (format!("/k/{kid}"), format!("cookie: a={long}"), 431),
        (format!("/k/{kid}?token={long}"), String::new(), 414),
        (format!("/k/{token}"), String::new(), 404),
        (format!("/k/../state/keys/tokens?token={token}"), String::new(), 404),
        (format!("/k/%2e%2e%2f{token}"), String::new(), 404),
        (format!("/{token}"), format!("authorization: Bearer {token}"), 404),
        (format!("/v1/keys/{kid}"), format!("authorization: Bearer {token}"), 401),
        (format!("/k/{kid}"), format!("no colon {token}"), 400),
        (format!("/k/{kid} {token}"), String::new(), 400),
    ];
    for (path, header, status) in viewers {
        let header = if header.is_empty() { header } else { format!("{header}\r\n") };
        let (head, body) = ask(port, &path, &header);
        let is = |status: u16| head.starts_with(&format!("HTTP/1.1 {status} "));
        // Whichever limit was passed first.
        assert!(is(status) || (status == 414 && is(431)), "{path:.90} {header:.90}: {head}");
        assert!(body.len() < 200 && body.len() != 16, "{head}");
    }
    // 15 bytes for a key, and what is no JSON at all.
    let whole = format!(
        "{{\"asset\":\"a\",\"generation\":\"g\",\"iv_seed\":\"{}\",\"keys\":[{{\"kid\":\"{kid}\",\"key\":\"{key}\"}}]}}",
        "00".repeat(32)
    );
    for body in
        [&whole, &whole[..whole.len() - 3], &format!("{key}{whole}"), &whole.replace(':', ",")]
    {
        let answer = order(port, credential, body);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("bad_request") && !answer.contains(&key), "{answer}");
    }
    let good = home.vodmill(&["keys", "token", "--asset", "talk", "--for", "1h"]).out;
    let (head, body) = ask(port, &format!("/k/{kid}?token={}", good.trim()), "");
    assert!(head.starts_with("HTTP/1.1 200") && body.len() == 16, "{head}");
    let log = server.log();
    assert!(log.contains("key refused") && log.contains(&kid), "{log}");
    let mac = token.rsplit('.').next().expect("a signature");
    for secret in [torn, mac, good.trim(), credential, &key, "5ec2e75ec2e7"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let key: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!log.contains(&key), "a key is in the log");
}
