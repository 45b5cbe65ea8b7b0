//! The server, as import sees it: which client ids are known, and storing a batch.
//!
//! Every request is safe to repeat: batches carry an `Idempotency-Key`. A request that met a lost connection, 409, 429 or
//! 503 is repeated a bounded number of times.

use std::{
    collections::{BTreeMap, HashSet},
    io::ErrorKind,
    time::Duration,
};

use serde::Deserialize;
use trailbook_event::Timestamp;
use ureq::{Agent, Body, http::Response, tls::TlsConfig};

use crate::Error;

/// Ids in one question, so that the address stays short.
const IDS_MAX: usize = 100;
/// Characters of ids in one question.
const ID_BYTES_MAX: usize = 4096;
const ATTEMPTS_MAX: u32 = 8;
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Which server, and who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Its address, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// A key with the scopes `events:write` and `events:read`, or the root key.
    pub key: String,
    /// The project; that of the key when none is named.
    pub project: Option<String>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, project, key: _ } = self;
        formatter
            .debug_struct("Server")
            .field("url", url)
            .field("project", project)
            .finish_non_exhaustive()
    }
}

/// What the server said to a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// All of it is stored; so many were there before.
    Stored { duplicates: u64 },
    /// Nothing is stored: these events (by place in the batch) are not valid; an empty list when it does not say which.
    Refused {
        faults: BTreeMap<usize, String>,
        detail: String,
    },
}

pub(crate) struct Client<'c> {
    agent: Agent,
    server: &'c Server,
    sleep: fn(Duration),
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Known>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Known {
    client_id: Option<String>,
}

#[derive(Deserialize)]
struct Stored {
    duplicates: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    errors: Vec<ProblemFault>,
}

#[derive(Deserialize)]
struct ProblemFault {
    pointer: String,
    detail: String,
}

impl<'c> Client<'c> {
    pub(crate) fn new(server: &'c Server, tls: TlsConfig, sleep: fn(Duration)) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls)
            .timeout_global(Some(Duration::from_secs(120)));
        Self {
            agent: config.build().into(),
            server,
            sleep,
        }
    }

    /// Which of these ids events of the organization have, in all its history.
    pub(crate) fn known(
        &self,
        organization: &str,
        ids: &[(&str, Option<Timestamp>)],
    ) -> Result<HashSet<String>, Error> {
        let (mut dated, undated): (Vec<_>, Vec<_>) = ids.iter().partition(|(_, time)| time.is_some());
        dated.sort_by_key(|(_, time)| *time);
        let mut known = HashSet::new();
        for mut rest in [dated.as_slice(), undated.as_slice()] {
            while !rest.is_empty() {
                let (now, later) = rest.split_at(fitting(rest));
                self.ask(organization, now, &mut known)?;
                rest = later;
            }
        }
        Ok(known)
    }

    /// Asks for ids that are sorted by time; where the answer does not fit or the range is too wide, for half of them.
    fn ask(
        &self,
        organization: &str,
        ids: &[(&str, Option<Timestamp>)],
        known: &mut HashSet<String>,
    ) -> Result<(), Error> {
        let url = format!(
            "{}/v1/organizations/{organization}/events",
            self.server.url.trim_end_matches('/')
        );
        let mut response = self.repeat(|| {
            let mut request = self
                .agent
                .get(&url)
                .header("Authorization", format!("Bearer {}", self.server.key));
            if let Some(project) = &self.server.project {
                request = request.header("Trailbook-Project", project);
            }
            // Without a range the organization's default range would hide what is older.
            let (first, last) = (ids.first().and_then(|id| id.1), ids.last().and_then(|id| id.1));
            request = request.query(
                "from",
                first.map_or_else(|| "1970-01-01T00:00:00Z".to_owned(), |first| first.to_string()),
            );
            if let Some(last) = last {
                request = request.query("to", Timestamp::from_millis(last.millis() + 1).to_string());
            }
            let request = ids.iter().fold(request.query("limit", "1000"), |request, (id, _)| {
                request.query("client_id", id)
            });
            request.call()
        })?;
        let status = response.status().as_u16();
        let (left, right) = ids.split_at(ids.len() / 2);
        match status {
            404 => return Ok(()),
            400 if ids.len() > 1 => {}
            200 => {
                let page: Page = json(&mut response)?;
                known.extend(page.events.into_iter().filter_map(|event| event.client_id));
                if page.next.is_none() || ids.len() == 1 {
                    return Ok(());
                }
            }
            403 => {
                let detail = "the key may not read events; import reads to find out what is already there. Use a key with the scopes events:write and events:read";
                return Err(Error::Refused {
                    status,
                    detail: detail.to_owned(),
                });
            }
            _ => return Err(refused(&mut response)),
        }
        self.ask(organization, left, known)?;
        self.ask(organization, right, known)
    }

    /// Stores a batch.
    pub(crate) fn store(&self, body: &[u8], idempotency_key: &str) -> Result<Answer, Error> {
        let url = format!("{}/v1/events", self.server.url.trim_end_matches('/'));
        let mut response = self.repeat(|| {
            let mut request = self
                .agent
                .post(&url)
                .header("Authorization", format!("Bearer {}", self.server.key));
            if let Some(project) = &self.server.project {
                request = request.header("Trailbook-Project", project);
            }
            request
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", idempotency_key)
                .send(body)
        })?;
        match response.status().as_u16() {
            200 | 201 => Ok(Answer::Stored {
                duplicates: json::<Stored>(&mut response)?.duplicates,
            }),
            413 => Ok(Answer::Refused {
                faults: BTreeMap::new(),
                detail: "The server takes no bodies of this size.".to_owned(),
            }),
            422 => {
                let problem = problem(&mut response);
                let mut faults: BTreeMap<usize, String> = BTreeMap::new();
                for fault in &problem.errors {
                    let Some((index, place)) = event_index(&fault.pointer) else {
                        continue;
                    };
                    let reasons = faults.entry(index).or_default();
                    let space = if reasons.is_empty() { "" } else { " " };
                    reasons.push_str(&format!("{space}{place}: {}", fault.detail));
                }
                Ok(Answer::Refused {
                    faults,
                    detail: problem.sentence(),
                })
            }
            _ => Err(refused(&mut response)),
        }
    }

    /// Sends until there is an answer that is worth reading.
    fn repeat(&self, send: impl Fn() -> Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Error> {
        let mut attempt = 1;
        loop {
            let backoff = Duration::from_millis(250) * 2_u32.pow(attempt - 1);
            let (why, wait) = match send() {
                Ok(response) if matches!(response.status().as_u16(), 409 | 429 | 503) => (
                    format!("it answers {}", response.status()),
                    retry_after(&response).unwrap_or(backoff),
                ),
                Ok(response) => return Ok(response),
                // What TLS says of a certificate: asking again does not change it.
                Err(ureq::Error::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    return Err(Error::Unavailable(error.to_string()));
                }
                Err(error) => (error.to_string(), backoff),
            };
            if attempt == ATTEMPTS_MAX {
                return Err(Error::Unavailable(format!("{why} (tried {ATTEMPTS_MAX} times)")));
            }
            (self.sleep)(wait.min(WAIT_MAX));
            attempt += 1;
        }
    }
}

/// How many ids at the beginning fit into one question.
fn fitting(ids: &[(&str, Option<Timestamp>)]) -> usize {
    let mut bytes = 0;
    let count = ids.iter().take(IDS_MAX).take_while(|(id, _)| {
        bytes += id.len();
        bytes <= ID_BYTES_MAX
    });
    count.count().max(1)
}

/// The event of a batch that a pointer such as `/events/3/actor/id` is in, and the rest of the pointer.
fn event_index(pointer: &str) -> Option<(usize, &str)> {
    let rest = pointer.strip_prefix("/events/")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let place = if end == rest.len() { "/" } else { &rest[end..] };
    Some((rest[..end].parse().ok()?, place))
}

fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn json<T: for<'de> Deserialize<'de>>(response: &mut Response<Body>) -> Result<T, Error> {
    response
        .body_mut()
        .read_json()
        .map_err(|error| Error::Unavailable(format!("its answer cannot be read: {error}")))
}

fn problem(response: &mut Response<Body>) -> Problem {
    response.body_mut().read_json().unwrap_or_default()
}

fn refused(response: &mut Response<Body>) -> Error {
    Error::Refused {
        status: response.status().as_u16(),
        detail: problem(response).sentence(),
    }
}

impl Problem {
    fn sentence(&self) -> String {
        if self.detail.is_empty() {
            self.title.clone()
        } else {
            self.detail.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_events() {
        assert_eq!(event_index("/events/3/actor/id"), Some((3, "/actor/id")));
        assert_eq!(event_index("/events/12"), Some((12, "/")));
        assert_eq!(event_index("/actor"), None);
    }

    #[test]
    fn a_question_holds_few_ids_when_they_are_long() {
        let long = "x".repeat(3000);
        assert_eq!(fitting(&[(&long, None), (&long, None), ("y", None)]), 1);
        assert_eq!(fitting(&vec![("y", None); 500]), IDS_MAX);
    }
}
