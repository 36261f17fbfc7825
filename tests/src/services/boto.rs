//! boto3, AWS's own library for Python, in a process beside the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

/// What the tests' servers take for an account.
pub(super) const ACCOUNT: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "vodmill"), ("AWS_SECRET_ACCESS_KEY", "vodmill-secret")];

/// Calls to one endpoint.
pub(super) struct Boto {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Boto {
    pub(super) fn open(endpoint: &str) -> Boto {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/services/boto.py");
        let mut command = Command::new(python());
        command.arg(script).arg(endpoint).envs(ACCOUNT);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the tests' Python runs");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Boto { child, pipes: Mutex::new((input, output)) }
    }

    /// One call as boto3 names it; panics when it fails.
    pub(super) fn call(&self, service: &str, call: &str, arguments: Value) -> Value {
        self.order(&json!({ "service": service, "call": call, "arguments": arguments }))
    }

    /// Writes the content of an object to a file.
    pub(super) fn get(&self, bucket: &str, key: &str, to: &Path) {
        let arguments = json!({ "Bucket": bucket, "Key": key });
        let call =
            json!({ "service": "s3", "call": "get_object", "arguments": arguments, "to": to });
        self.order(&call);
    }

    fn order(&self, order: &Value) -> Value {
        let mut pipes = self.pipes.lock().expect("no call has panicked in between");
        writeln!(pipes.0, "{order}").expect("boto3 listens");
        let mut line = String::new();
        pipes.1.read_line(&mut line).expect("boto3 answers");
        drop(pipes);
        let mut said: Value = serde_json::from_str(&line).expect("an answer is JSON");
        assert!(said.get("error").is_none(), "{order}: {said}");
        said["answer"].take()
    }
}

impl Drop for Boto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where scripts/install --tests puts it.
fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache");
    let python = cache.unwrap_or_else(home).join("vodmill/python/bin/python");
    assert!(python.exists(), "the tests' Python is missing: scripts/install --tests brings it");
    python
}
