//! What cannot succeed ends at once, in words; what does not answer is said soon.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than any of these commands may take.
const SOON: Duration = Duration::from_secs(30);

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vodmill"));
    command.current_dir(home).args(arguments).env_clear();
    command.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server that gives every request this answer, and its URL.
fn server(status: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 65536]);
            let _ = client.write_all(answer.as_bytes());
        }
    });
    url
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("scratch");
    fs::write(home.path().join("a.mp4"), "no film").expect("write");
    home
}

#[test]
fn a_folder_that_cannot_be_made_ends_a_run_before_it_begins() {
    let home = home();
    let long = "x".repeat(300);
    std::os::unix::fs::symlink("/proc/no", home.path().join("nowhere")).expect("link");
    for out in ["a.mp4", "a.mp4/out", &*long, "nowhere/out", "/proc/out"] {
        let output = command(home.path(), &["run", "a.mp4", "--out", out]).output().expect("runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("nothing can be published in") && said.contains("--out"), "{said}");
        assert!(!home.path().join("state").exists(), "nothing was begun");
    }
}

#[test]
fn a_bucket_that_does_not_let_us_in_ends_a_run_before_it_begins() {
    let error = |code: &str| format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    for (status, code, remedy) in [
        ("403 Forbidden", "AccessDenied", "bucket's policy"),
        ("403 Forbidden", "SignatureDoesNotMatch", "correct the access key"),
        ("403 Forbidden", "InvalidAccessKeyId", "correct the access key"),
        ("404 Not Found", "NoSuchBucket", "make the bucket"),
        ("301 Moved", "PermanentRedirect", "region"),
    ] {
        let home = home();
        let endpoint = server(status, &error(code));
        fs::write(home.path().join("vodmill.toml"), format!("[s3]\nendpoint = \"{endpoint}\"\n"))
            .expect("write");
        let begun = Instant::now();
        let output = command(home.path(), &["run", "a.mp4", "--out", "s3://media/x"])
            .env("AWS_ACCESS_KEY_ID", "a")
            .env("AWS_SECRET_ACCESS_KEY", "b")
            .output()
            .expect("runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(code) && said.contains(remedy), "{said}");
        assert!(begun.elapsed() < SOON && !home.path().join("state").exists(), "{said}");
    }
}

#[test]
fn no_credentials_end_a_run_before_it_begins() {
    let home = home();
    fs::write(home.path().join("vodmill.toml"), "[s3]\nendpoint = \"http://127.0.0.1:9\"\n")
        .expect("write");
    let output = command(home.path(), &["run", "a.mp4", "--out", "s3://media/x"]).output();
    let output = output.expect("runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said(&output).contains("AWS_ACCESS_KEY_ID"), "{}", said(&output));
}

#[test]
fn a_region_that_is_not_known_is_said_in_words() {
    let home = home();
    let output = command(home.path(), &["run", "a.mp4", "--out", "s3://media/x"])
        .envs([("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")])
        .output();
    let output = output.expect("runs");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("AWS_REGION") && !said.contains("DispatchFailure"), "{said}");
}

#[test]
fn a_store_that_does_not_answer_is_said_soon() {
    // One that takes connections and says nothing, and one that takes none.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    for port in [port, 9] {
        let home = home();
        let settings = format!("[s3]\nendpoint = \"http://127.0.0.1:{port}\"\n");
        fs::write(home.path().join("vodmill.toml"), settings).expect("write");
        let begun = Instant::now();
        let output = command(home.path(), &["run", "a.mp4", "--out", "s3://media/x"])
            .envs([("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")])
            .output();
        let output = output.expect("runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("see that the endpoint is right"), "{said}");
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }
}

#[test]
fn what_is_in_the_way_is_said() {
    let home = home();
    for out in ["a.mp4", "a.mp4/out"] {
        let output = command(home.path(), &["run", "a.mp4", "--out", out]).output().expect("runs");
        assert!(said(&output).contains("that is no folder"), "{}", said(&output));
    }
}

#[test]
fn a_destination_is_for_all_to_read_and_a_state_for_none_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    for umask in ["000", "027", "077"] {
        let home = home();
        let mut shell = Command::new("sh");
        let script = format!("umask {umask}; exec \"$0\" run a.mp4");
        shell.args(["-c", &*script, env!("CARGO_BIN_EXE_vodmill")]).current_dir(home.path());
        let output = shell.output().expect("runs");
        let mode = |name: &str| {
            let facts = fs::metadata(home.path().join(name));
            facts.map(|facts| facts.permissions().mode() & 0o777).ok()
        };
        assert_eq!(mode("published"), Some(0o755), "{umask}: {}", said(&output));
        assert_eq!(mode("state"), Some(0o700), "{umask}");
        for mark in ["state/run/queue.sqlite.made", "state/names.sqlite.made"] {
            assert_eq!(mode(mark), Some(0o600), "{umask}: {mark}");
        }
    }
}

#[test]
fn a_database_that_does_not_answer_is_said_soon() {
    let home = home();
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let settings =
        format!("queue = \"postgres://db:secret@127.0.0.1:{port}/v\"\nwork = \"work\"\n");
    fs::write(home.path().join("vodmill.toml"), settings).expect("write");
    for arguments in [&["jobs"][..], &["run", "a.mp4"], &["worker"], &["daemon"]] {
        let begun = Instant::now();
        let mut child =
            command(home.path(), arguments).stderr(Stdio::piped()).spawn().expect("runs");
        let stderr = BufReader::new(child.stderr.take().expect("its log"));
        let line =
            stderr.lines().map_while(Result::ok).find(|line| line.contains("does not answer"));
        let late = begun.elapsed();
        child.kill().and_then(|()| child.wait()).expect("it ends");
        let line = line.expect("it is said");
        assert!(late < Duration::from_secs(4), "{late:?}");
        assert!(line.contains("trying for as long") && !line.contains("secret"), "{line}");
    }
}
