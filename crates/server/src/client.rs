//! The commands' side of HTTP: one server, one key.

use std::{
    io::Read,
    sync::{Arc, LazyLock},
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use tokio_rustls::rustls::crypto::ring;
use trailbook_access::DEFAULT_PROJECT;
use ureq::{
    Agent, Body, RequestBuilder,
    http::{Response, StatusCode},
    tls::{Certificate, RootCerts, TlsConfig},
};

/// How commands make sure over https that it is the server: by the certificate authorities that this machine knows.
pub(crate) fn tls() -> TlsConfig {
    static TLS: LazyLock<TlsConfig> = LazyLock::new(|| {
        // Without any, no certificate is trusted.
        let known = rustls_native_certs::load_native_certs().certs;
        let authorities: Vec<Certificate<'static>> = known
            .iter()
            .map(|authority| Certificate::from_der(authority).to_owned())
            .collect();
        TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&authorities))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build()
    });
    TLS.clone()
}

/// Which server, and who asks.
#[derive(Debug, Clone, Args)]
pub(crate) struct Server {
    /// The server's address
    #[arg(
        long,
        value_name = "URL",
        env = "TRAILBOOK_SERVER",
        default_value = "http://127.0.0.1:8321"
    )]
    pub(crate) server: String,
    /// A key that allows it
    #[arg(long, value_name = "KEY", env = "TRAILBOOK_KEY", hide_env_values = true)]
    pub(crate) key: String,
    /// The project, when the key does not say it
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
}

impl Server {
    /// The project, as far as the command line says it.
    pub(crate) fn project_name(&self) -> &str {
        self.project.as_deref().unwrap_or(DEFAULT_PROJECT)
    }

    /// The answer to a GET of `path`, when it is a success; what the server says against it otherwise.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().get(self.url(path)));
        self.answered(request.call())
    }

    /// The answer to a GET of `path` from a byte of it on; as [`Server::get`].
    pub(crate) fn get_from(&self, path: &str, byte: u64) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().get(self.url(path)));
        let request = match byte {
            0 => request,
            begun => request.header("Range", format!("bytes={begun}-")),
        };
        self.answered(request.call())
    }

    /// The answer to a POST of JSON to `path`; as [`Server::get`].
    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().post(self.url(path)));
        self.answered(request.send_json(body))
    }

    /// The answer to a PUT of nothing to `path`; as [`Server::get`].
    pub(crate) fn put(&self, path: &str) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().put(self.url(path)));
        self.answered(request.send_empty())
    }

    /// Puts JSON at `path`, with `version` only when what is there has it; as [`Server::get`].
    pub(crate) fn put_json(
        &self,
        path: &str,
        body: &impl Serialize,
        version: Option<&str>,
    ) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().put(self.url(path)));
        let request = match version {
            Some(version) => request.header("If-Match", version),
            None => request,
        };
        self.answered(request.send_json(body))
    }

    /// Puts text of a media type at `path`; as [`Server::get`].
    pub(crate) fn put_text(&self, path: &str, kind: &str, text: &str) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().put(self.url(path)));
        self.answered(request.header("Content-Type", kind).send(text))
    }

    /// What is at `path`, with its version; `None` when there is nothing.
    pub(crate) fn find(&self, path: &str) -> anyhow::Result<Option<(Option<String>, String)>> {
        let request = self.request(self.agent().get(self.url(path)));
        let response = request.call();
        if response
            .as_ref()
            .is_ok_and(|response| response.status() == StatusCode::NOT_FOUND)
        {
            return Ok(None);
        }
        let mut response = self.answered(response)?;
        let version = response.headers().get("etag").and_then(|tag| tag.to_str().ok());
        let version = version.map(str::to_owned);
        Ok(Some((version, response.body_mut().read_to_string()?)))
    }

    /// The answer to a PATCH with JSON of `path`; as [`Server::get`].
    pub(crate) fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().patch(self.url(path)));
        self.answered(request.send_json(body))
    }

    /// The answer to a DELETE of `path`; as [`Server::get`].
    pub(crate) fn delete(&self, path: &str) -> anyhow::Result<Response<Body>> {
        let request = self.request(self.agent().delete(self.url(path)));
        self.answered(request.call())
    }

    fn agent(&self) -> Agent {
        let connect = Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls())
            .timeout_connect(Some(Duration::from_secs(10)));
        connect.build().into()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.trim_end_matches('/'))
    }

    fn request<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let request = request.header("Authorization", format!("Bearer {}", self.key));
        match &self.project {
            Some(project) => request.header("Trailbook-Project", project),
            None => request,
        }
    }

    fn answered(&self, response: Result<Response<Body>, ureq::Error>) -> anyhow::Result<Response<Body>> {
        let mut response = response.with_context(|| format!("{} does not answer", self.server))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let mut text = String::new();
        response
            .body_mut()
            .as_reader()
            .take(64 << 10)
            .read_to_string(&mut text)
            .unwrap_or_default();
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        bail!("the server answers {}: {}", response.status(), told(&problem))
    }
}

/// What a problem document says: every fault when there are several.
fn told(problem: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match problem["errors"].as_array() {
        Some(errors) if errors.len() > 1 => {
            let fault = |error: &Value| format!("\n  {}: {}", text(&error["pointer"]), text(&error["detail"]));
            errors.iter().map(fault).collect()
        }
        _ => problem["detail"].as_str().unwrap_or("it says no more").to_owned(),
    }
}

/// A text as one segment of a path, or a value of a query.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_plain_is_encoded() {
        assert_eq!(encoded("a/b c+ü"), "a%2Fb%20c%2B%C3%BC");
    }
}
