//! The guarded door, as the object stores' client uses it.
//!
//! Invariant: an answer that is no success comes back as an error with all of it inside, so that nobody repeats it and its
//! sentence is ours.

use std::{error::Error, fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use object_store::{
    ClientOptions,
    client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService},
};

use super::super::client::{Answer, Client};
use crate::outbound;

/// Makes the clients of one destination.
pub(super) struct Connector(pub(super) Arc<Client>);

/// Sends requests of the object stores' client.
struct Service(Arc<Client>);

/// What became of a request that was no success.
pub(super) enum Answered {
    /// The server said something else.
    Yes(Answer),
    /// There is no answer.
    No(outbound::Error),
}

/// What became of the request, when the error is about one.
pub(super) fn cause(error: &object_store::Error) -> Option<&Answered> {
    let mut cause: &dyn Error = error;
    loop {
        if let Some(answered) = cause.downcast_ref() {
            return Some(answered);
        }
        cause = cause.source()?;
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(self.0.clone())))
    }
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body: Bytes = body.collect().await?.to_bytes();
        let sent = self.0.outbound().send(Request::from_parts(head, body)).await;
        // Only connections are repeated by the client, and it is told not to.
        let failed = |answered| HttpError::new(HttpErrorKind::Unknown, answered);
        let response = sent.map_err(|error| failed(Answered::No(error)))?;
        if !response.status().is_success() {
            return Err(failed(Answered::Yes(self.0.read(response))));
        }
        let (mut head, body) = response.into_parts();
        // The client wants to know the tag of what it wrote, we do not, and some stores tell none.
        head.headers
            .entry(header::ETAG)
            .or_insert(HeaderValue::from_static("\"\""));
        Ok(Response::from_parts(head, Bytes::from(body).into()))
    }
}

impl Error for Answered {}

impl fmt::Display for Answered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(answer) => write!(formatter, "the server answered {}", answer.status),
            Self::No(error) => error.fmt(formatter),
        }
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connector")
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Service")
    }
}
