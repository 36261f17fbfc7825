//! A receiver of webhooks, in whatever mood the test wants.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::Authority;
use super::http::{Answer, Asked, HttpServer};

/// What a server answers.
type Answers = Box<dyn Fn(Asked) -> Option<Answer> + Send + Sync>;

/// How it answers.
#[derive(Clone, Debug)]
pub enum Mood {
    /// With this status.
    Status(u16),
    /// With 503, and to come again after so many seconds.
    Later(u64),
    /// With 200, after this time.
    Slow(Duration),
    /// With 302 to this URL.
    Elsewhere(String),
    /// Not at all: it hangs up.
    HangsUp,
}

/// A server that notes what it is sent, and what it answered.
pub struct Receiver {
    server: HttpServer,
    mood: Arc<Mutex<Mood>>,
    heard: Arc<Mutex<Vec<(Asked, u16)>>>,
}

impl Receiver {
    /// Starts one.
    pub fn start(mood: Mood) -> Receiver {
        Receiver::serve(mood, HttpServer::start)
    }

    /// Starts one that speaks TLS, as `localhost`.
    pub fn secure(mood: Mood, authority: &Authority) -> Receiver {
        let tls = authority.localhost();
        Receiver::serve(mood, |answer| HttpServer::secure(tls, answer))
    }

    fn serve(mood: Mood, start: impl FnOnce(Answers) -> HttpServer) -> Receiver {
        let (mood, heard) = (Arc::new(Mutex::new(mood)), Arc::new(Mutex::new(Vec::new())));
        let (its_mood, its_heard) = (Arc::clone(&mood), Arc::clone(&heard));
        let server = start(Box::new(move |asked| {
            let mood = its_mood.lock().expect("whole").clone();
            let (status, answer) = match mood {
                Mood::Status(status) => (status, Some(Answer::status(status))),
                Mood::Later(seconds) => {
                    let headers = vec![format!("retry-after: {seconds}")];
                    (503, Some(Answer { headers, ..Answer::status(503) }))
                }
                Mood::Slow(time) => {
                    thread::sleep(time);
                    (200, Some(Answer::status(200)))
                }
                Mood::Elsewhere(url) => {
                    let headers = vec![format!("location: {url}")];
                    (302, Some(Answer { headers, ..Answer::status(302) }))
                }
                Mood::HangsUp => (0, None),
            };
            its_heard.lock().expect("whole").push((asked, status));
            answer
        }));
        Receiver { server, mood, heard }
    }

    /// Where it takes POSTs.
    pub fn url(&self) -> String {
        self.server.url("/hooks/video?team=7")
    }

    /// From now on it answers so.
    pub fn set(&self, mood: Mood) {
        *self.mood.lock().expect("whole") = mood;
    }

    /// All that it was sent, with what it answered; 0 for nothing.
    pub fn heard(&self) -> Vec<(Asked, u16)> {
        self.heard.lock().expect("whole").clone()
    }

    /// The bodies that it took, in order.
    pub fn taken(&self) -> Vec<Value> {
        let heard = self.heard();
        let taken = heard.iter().filter(|(_, status)| *status == 200);
        taken.map(|(asked, _)| serde_json::from_slice(&asked.body).expect("JSON")).collect()
    }
}
