//! Requests that are given up when the process is told to stop.

use std::pin::pin;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use vodmill_http::http::header::{CONNECTION, RETRY_AFTER};
use vodmill_http::http::{HeaderValue, Request, Response};
use vodmill_http::{Agent, Authorities, agent};

use crate::error::{Error, Result, chain};

/// Bytes of an answer that are read at most.
const LONGEST_ANSWER: u64 = 4 << 20;

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How long what is under way may still take when the process is told to stop.
const GRACE: Duration = Duration::from_secs(2);

/// How long an answer is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    pub timeout: Duration,
    /// Waits for a time, and says whether to go on.
    pub go_on: &'a dyn Fn(Duration) -> bool,
}

/// A client for one receiver, and the runtime that waits for it. It belongs to one thread.
pub(crate) struct Http {
    agent: Agent,
    runtime: Runtime,
}

impl Http {
    /// `timeout` is for one request.
    pub(crate) fn new(timeout: Duration) -> Result<Http> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::unmade("start a runtime", &error))?;
        Ok(Http { agent: agent(Authorities::of_system(), timeout), runtime })
    }

    /// Waits for `work` as long as there is patience.
    pub(crate) fn within<T>(
        &self,
        patience: Patience<'_>,
        work: impl Future<Output = T>,
    ) -> Result<T> {
        let begun = Instant::now();
        let (mut until, mut stopping) = (begun + patience.timeout, false);
        self.runtime.block_on(async {
            let mut work = pin!(work);
            loop {
                if let Ok(done) = tokio::time::timeout(LOOK, work.as_mut()).await {
                    return Ok(done);
                }
                // From the first look on that says so.
                if !stopping && !(patience.go_on)(Duration::ZERO) {
                    stopping = true;
                    until = until.min(Instant::now() + GRACE);
                }
                if Instant::now() >= until {
                    return Err(Error::TooLate(begun.elapsed().as_secs()));
                }
            }
        })
    }

    /// Sends a request and waits for the whole answer, in a thread of its own: one that is left
    /// behind when the process stops ends with its timeout.
    pub(crate) fn ask(
        &self,
        request: Request<Vec<u8>>,
        patience: Patience<'_>,
    ) -> Result<Response<Vec<u8>>> {
        let agent = self.agent.clone();
        let (done, answer) = oneshot::channel();
        thread::Builder::new()
            .name("request".to_owned())
            // After a time-out or a stop there is no receiver of the answer.
            .spawn(move || drop(done.send(whole_answer(&agent, request))))
            .map_err(|error| Error::unmade("start a thread", &error))?;
        let answer = self.within(patience, answer)?;
        let answer = answer.map_err(|error| Error::unmade("send the request", &error))?;
        answer.map_err(|error| match error {
            vodmill_http::Error::Timeout(_) => Error::TooLate(patience.timeout.as_secs()),
            error => Error::NoAnswer(chain(&error)),
        })
    }
}

/// Redirects are not followed: any status is an answer.
fn whole_answer(
    agent: &Agent,
    mut request: Request<Vec<u8>>,
) -> std::result::Result<Response<Vec<u8>>, vodmill_http::Error> {
    // Requests are rare, and a connection that was kept open may be dead.
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    let answer = if request.body().is_empty() {
        agent.run(request.map(drop))?
    } else {
        agent.run(request)?
    };
    let (head, mut body) = answer.into_parts();
    let bytes = body.with_config().limit(LONGEST_ANSWER).read_to_vec()?;
    Ok(Response::from_parts(head, bytes))
}

/// What an answer comes to that is no success.
pub(crate) fn refusal(answer: &Response<Vec<u8>>, now: Timestamp) -> Error {
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = asked.and_then(|text| wait(text.trim(), now)).unwrap_or_default();
    Error::Refused { status: answer.status().as_u16(), retry_after }
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_answer_that_is_too_long_is_none() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let receiver = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            let body = vec![b'a'; usize::try_from(LONGEST_ANSWER).expect("small") + 1];
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            // The client hangs up before the end.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        });
        let timeout = Duration::from_secs(20);
        let http = Http::new(timeout).expect("a client");
        let request = Request::get(url).body(Vec::new()).expect("a request");
        let answer = http.ask(request, Patience { timeout, go_on: &|_| true });
        assert!(
            matches!(&answer, Err(Error::NoAnswer(why)) if why.contains("limit")),
            "{answer:?}"
        );
        receiver.join().expect("the receiver");
    }

    #[test]
    fn how_long_to_wait_is_read_in_either_form() {
        let now = "2026-11-22T08:00:00Z".parse().expect("a time");
        let wait = |text| wait(text, now).map(|wait| wait.as_secs());
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Sun, 22 Nov 2026 08:01:30 GMT"), Some(90));
        assert_eq!(wait("Sun, 22 Nov 2026 07:00:00 GMT"), Some(0), "it is over");
        assert_eq!(wait("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "-1", "1.5", "soon", "99999999999999999999"] {
            assert_eq!(wait(bad), None, "{bad}");
        }
    }
}
