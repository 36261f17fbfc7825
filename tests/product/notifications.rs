//! Who is told of jobs, and whose caches drop what: receivers that are down, topics, a CDN.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use vodmill_tests::cases::case;
use vodmill_tests::product::{Daemon, Home, wait_until};
use vodmill_tests::services::{Authority, Cdn, Cloud, Mood, Receiver};

const PATIENCE: Duration = Duration::from_secs(180);

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A home whose default pipeline ends with these tables.
fn home(settings: &str, tables: &str) -> Home {
    let home = Home::quick("", false);
    home.write("vodmill.toml", &format!("settle_seconds = 0\n{settings}"));
    let file = home.at("pipelines/default.toml");
    let text = fs::read_to_string(file).expect("a pipeline");
    home.write("pipelines/default.toml", &format!("{text}\n{tables}"));
    home.write_secret("secret", SECRET);
    home
}

fn wait_for_states(home: &Home, states: &[&str]) {
    wait_until("jobs end", PATIENCE, || {
        let mut found: Vec<String> =
            home.jobs().iter().map(|job| job["state"].as_str().unwrap_or("").to_owned()).collect();
        found.sort();
        (found == states).then_some(())
    });
}

fn listed(home: &Home, arguments: &[&str]) -> Value {
    let ended = home.vodmill(arguments);
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.out).expect("JSON")
}

/// The receiver is down while jobs go through, and the daemon dies on top of it: no job waits, and
/// all is told once the receiver is back.
#[test]
fn f14_a_receiver_that_is_down_loses_nothing() {
    let receiver = Receiver::start(Mood::Status(500));
    let url = receiver.url();
    let table = format!(
        "[[notify]]\nname = \"site\"\nto = \"{url}\"\nsecret_file = \"secret\"\n\
         [input]\ntruncated = \"repair\"\n"
    );
    let home = home("", &table);
    let mut daemon = Daemon::start(&home, &[]);
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    home.drop_into("default", &case("text.mp4"), "bad.mp4");
    home.drop_into("default", &case("truncated_faststart.mp4"), "cut.mp4");
    wait_for_states(&home, &["published", "published", "rejected"]);
    assert!(receiver.taken().is_empty() && !receiver.heard().is_empty());
    let waiting = listed(&home, &["outbox", "--json"]);
    let waiting = waiting.as_array().expect("a list");
    assert!(waiting.len() >= 7, "{waiting:?}");
    assert!(waiting.iter().all(|one| one["state"] == "waiting"), "{waiting:?}");
    daemon.kill();
    receiver.set(Mood::Status(200));
    let daemon = Daemon::start(&home, &[]);
    let told = |event: &str, name: &str| {
        let of = |body: &Value| body["event"] == event && body["job"]["name"] == name;
        receiver.taken().into_iter().find(of)
    };
    let wait_for = |event: &str, name: &str| {
        wait_until(&format!("{name} is {event}"), PATIENCE, || told(event, name))
    };
    wait_for("progressing", "film.mp4");
    wait_for("progressing", "bad.mp4");
    let published = wait_for("published", "film.mp4");
    assert_eq!(published["asset"], "film");
    let generation = home.asset_json(&home.at("published/film"))["generation"].clone();
    assert_eq!(published["published"], json!({ "generation": generation }));
    wait_for("published", "cut.mp4");
    let warned = wait_for("warning", "cut.mp4");
    let repairs = home.asset_json(&home.at("published/cut"))["repairs"].clone();
    let repairs = repairs.as_array().expect("a list");
    assert!(repairs.contains(&warned["warning"]), "{warned} is none of {repairs:?}");
    let rejected = wait_for("rejected", "bad.mp4");
    let why = &rejected["rejected"];
    let texts = ["reason", "detail", "remedy"].map(|name| why[name].as_str().unwrap_or_default());
    assert!(texts.iter().all(|text| !text.is_empty()), "{rejected}");
    let home_folder = home.path().to_str().expect("a name of ours");
    assert!(!rejected.to_string().contains(home_folder), "{rejected}");
    assert!(!daemon.log().contains("whsec_") && !daemon.log().contains("team=7"));
    wait_until("nothing is waiting", PATIENCE, || {
        let all = listed(&home, &["outbox", "--json"]);
        all.as_array()?.iter().all(|one| one["state"] == "delivered").then_some(())
    });
    assert_eq!(listed(&home, &["outbox", "--dead", "--json"]), json!([]));
}

/// A receiver that proves itself to an authority of this machine; a topic of SNS, as a server from
/// elsewhere understands it; and a CDN, which hears of nothing but an
/// asset that is published again.
#[test]
fn topics_and_caches() {
    let (cloud, cdn) = (Cloud::ministack(), Cdn::start("E2QWRUHAPOMQZL"));
    let queue = cloud.queue("told");
    let topic = cloud.topic("video", &queue);
    let (sns, cloudfront) = (cloud.endpoint(), cdn.endpoint());
    let settings = format!(
        "[aws]\nsns_endpoint = \"{sns}\"\ncloudfront_endpoint = \"{cloudfront}\"\n\
         invalidation_alarm = 1000\n"
    );
    let authority = Authority::new();
    let receiver = Receiver::secure(Mood::Status(200), &authority);
    let url = receiver.url();
    let tables = format!(
        "[[notify]]\nname = \"site\"\nto = \"{url}\"\nsecret_file = \"secret\"\n\
         events = [\"published\"]\n[[notify]]\nname = \"topic\"\nto = \"{topic}\"\nevents = [\"published\"]\n\
         [invalidation]\ndistribution = \"E2QWRUHAPOMQZL\"\npath = \"/video\"\n"
    );
    let mut home = home(&settings, &tables);
    for (name, value) in cloud.account() {
        home.set(name, value);
    }
    let certificate = authority.certificate();
    home.set("SSL_CERT_FILE", certificate.to_str().expect("a name of ours"));
    let daemon = Daemon::start(&home, &[]);
    home.drop_into("default", &case("good.mp4"), "film.mp4");
    let first = envelope(&cloud, &queue);
    wait_for_states(&home, &["published"]);
    let none = listed(&home, &["invalidations", "--json"]);
    assert_eq!(none, json!({ "waiting": [], "batches": [], "months": {} }), "a first publication");
    // The same name with other content: another generation of the same asset.
    home.drop_into("default", &case("no_audio.mp4"), "film.mp4");
    let second = envelope(&cloud, &queue);
    for (envelope, number) in [(&first, "g0001"), (&second, "g0002")] {
        assert_eq!(envelope["MessageAttributes"]["event"]["Value"], "published");
        assert_eq!(envelope["MessageAttributes"]["pipeline"]["Value"], "default");
        let body: Value = serde_json::from_str(envelope["Message"].as_str().expect("a message"))
            .expect("JSON in JSON");
        assert_eq!((&body["version"], &body["asset"]), (&json!(1), &json!("film")), "{body}");
        let generation = body["published"]["generation"].as_str().expect("a generation");
        assert!(generation.starts_with(number), "{body}");
    }
    wait_until("the CDN hears of it", PATIENCE, || (!cdn.batches().is_empty()).then_some(()));
    cdn.complete_all();
    wait_until("it is completed", PATIENCE, || {
        let listed = listed(&home, &["invalidations", "--json"]);
        let batch = listed["batches"].as_array()?.first()?;
        assert_eq!(batch["paths"], json!(["/video/film/*"]));
        (batch["state"] == "completed").then_some(())
    });
    assert_eq!((cdn.batches().len(), cdn.refusals()), (1, vec![]));
    wait_until("the receiver is told", PATIENCE, || (receiver.taken().len() == 2).then_some(()));
    drop(daemon);
}

/// What SNS puts around a message for a queue.
fn envelope(cloud: &Cloud, queue: &str) -> Value {
    let body = wait_until("a message", PATIENCE, || cloud.receive(queue).pop());
    serde_json::from_str(&body).expect("an envelope of SNS is JSON")
}
