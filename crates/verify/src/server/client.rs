//! HTTP as far as checking needs it: GET below one organization, with bounds on time and size.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use ureq::Agent;

use super::Target;

const ANSWER_BYTES_MAX: u64 = 64 << 20;
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one organization.
pub(super) struct Client {
    agent: Agent,
    base: String,
    authorization: Option<String>,
    project: Option<String>,
}

impl Client {
    pub(super) fn new(target: &Target<'_>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(target.tls.clone())
            .timeout_global(Some(TIMEOUT))
            .build();
        Self {
            agent: config.into(),
            base: format!(
                "{}/v1/organizations/{}/",
                target.url.trim_end_matches('/'),
                percent_encoded(target.organization)
            ),
            authorization: target.api_key.map(|key| format!("Bearer {key}")),
            project: target.project.map(str::to_owned),
        }
    }

    /// The body of a successful answer; `None` when the server does not have it. The text says why there is no answer.
    pub(super) fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        if let Some(project) = &self.project {
            request = request.header("Trailbook-Project", project);
        }
        let mut answer = request
            .call()
            .map_err(|error| format!("The server does not answer: {error}."))?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            401 | 403 => {
                return Err(format!(
                    "The credential does not allow to read {path}; checking needs an unfiltered one."
                ));
            }
            410 => {
                return Err(format!(
                    "{path} has expired; export evidence of a newer range and check that."
                ));
            }
            status => return Err(format!("The server answered {status} to {path}.")),
        }
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        body.map(Some)
            .map_err(|error| format!("The server's answer to {path} cannot be read: {error}."))
    }
}

/// An answer's JSON.
pub(super) fn json<'a, T: Deserialize<'a>>(body: &'a [u8], path: &str) -> Result<T, String> {
    serde_json::from_slice(body)
        .map_err(|error| format!("The server's answer to {path} is not what it should be: {error}."))
}

/// Standard base64, as binary fields have it.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A path segment: everything but unreserved characters (RFC 3986) as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_stays_one_path_segment() {
        assert_eq!(percent_encoded("acme-1.x_~"), "acme-1.x_~");
        assert_eq!(percent_encoded("a/../b c?é"), "a%2F..%2Fb%20c%3F%C3%A9");
    }
}
