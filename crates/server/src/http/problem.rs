//! Refusals as RFC 9457 problem documents, from one published list of codes.
//!
//! Handlers return a [`Problem`]; it travels in the response's extensions until the request's id is added and the
//! document is written (`http::finish`). So an answer of the router itself (404, 405) becomes a problem as well.
//!
//! Invariant: every code is described in docs/problems.md, and its slug never changes once released.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;
use trailbook_event::{Fault, Pointer};
use trailbook_ledger as ledger;
use utoipa::ToSchema;

/// Where the list of codes is published; a problem's `type` is this and the code's slug.
const LIST: &str = "https://trailbook.dev/problems/";

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $slug:literal, $status:ident, $title:literal;)+) => {
        /// The published list of what can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// All codes, in the order of the published list.
            #[cfg(test)]
            pub(crate) const ALL: &[Code] = &[$(Code::$name,)+];

            /// The last part of the problem's `type`.
            pub(crate) fn slug(self) -> &'static str {
                match self { $(Code::$name => $slug,)+ }
            }

            /// The status that goes with it.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status,)+ }
            }

            fn title(self) -> &'static str {
                match self { $(Code::$name => $title,)+ }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    MalformedJson = "malformed-json", BAD_REQUEST, "The body is not well-formed JSON";
    /// The body cannot be decoded.
    MalformedBody = "malformed-body", BAD_REQUEST, "The body cannot be read";
    /// A parameter or header is unknown, repeated or out of range.
    InvalidParameter = "invalid-parameter", BAD_REQUEST, "A parameter cannot be used";
    /// The query language's text has a fault.
    InvalidQuery = "invalid-query", BAD_REQUEST, "The query cannot be understood";
    /// A cursor that was altered, or belongs to other filters.
    InvalidCursor = "invalid-cursor", BAD_REQUEST, "The cursor does not belong to this request";
    /// A range beyond the policy's `max_range_days`.
    RangeTooWide = "range-too-wide", BAD_REQUEST, "The range is wider than the policy allows";
    /// Nobody proved who they are.
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid credential is required";
    /// The caller is known and may not.
    Forbidden = "forbidden", FORBIDDEN, "This is not allowed";
    /// Nothing there, or nothing that the caller may know of.
    NotFound = "not-found", NOT_FOUND, "Not found";
    /// The path exists with other methods.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// The body did not arrive in time.
    RequestTimeout = "request-timeout", REQUEST_TIMEOUT, "The body did not arrive in time";
    /// What a change was made from is not there any more.
    Stale = "stale", CONFLICT, "It has changed meanwhile";
    /// `If-Match` names another version.
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "It is at another version";
    /// It is still used.
    InUse = "in-use", CONFLICT, "It is still used";
    /// A file that is still being made, or could not be.
    NotReady = "not-ready", CONFLICT, "It is not ready";
    /// It has expired.
    Gone = "gone", GONE, "It was there and has expired";
    /// More than the limit, as sent or decoded.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// Neither JSON nor JSON lines, or an unknown encoding.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body's type or encoding is not supported";
    /// An event (or request document) breaks a rule.
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "The body breaks a rule";
    /// A key or client id was used for something else.
    Conflict = "conflict", UNPROCESSABLE_ENTITY, "It contradicts what is stored";
    /// The exact answer is beyond a bound.
    TooLarge = "result-too-large", UNPROCESSABLE_ENTITY, "The exact answer is beyond a limit";
    /// Too many requests, events, tries, or too many of something at a time.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// The identity provider cannot be asked, or its answer cannot be trusted.
    IdentityProvider = "identity-provider", BAD_GATEWAY, "The identity provider failed";
    /// A bound of the server is reached.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The server is at a limit";
    /// The ledger refuses to write until an operator acts.
    WritingRefused = "writing-refused", SERVICE_UNAVAILABLE, "The ledger refuses to write";
    /// The outcome of the commit is not known.
    OutcomeUnknown = "outcome-unknown", SERVICE_UNAVAILABLE, "It is not known whether it was stored";
    /// The storage does not answer.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The storage does not answer";
    /// A fault of the server.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The server failed";
}

/// One refusal.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// What kind.
    pub(crate) code: Code,
    detail: String,
    errors: Vec<Fault>,
    retry_after_seconds: Option<u32>,
    stored: Option<&'static str>,
    column: Option<usize>,
}

/// A problem's document, `application/problem+json` (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// A stable URI from the published list.
    #[schema(example = "https://trailbook.dev/problems/invalid")]
    r#type: String,
    /// The same sentence for every problem of the type.
    title: &'static str,
    /// The response's status.
    status: u16,
    /// What is wrong with this request, and the remedy.
    detail: &'a str,
    /// The id of the request in the server's log.
    request_id: &'a str,
    /// Every fault of the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorDocument<'a>>,
    /// With 503 on ingest: whether something was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "no", value_type = Option<String>)]
    stored: Option<&'static str>,
    /// With a bad query: the place in it, counted in characters from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

/// One fault of the body.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemError)]
pub(crate) struct ErrorDocument<'a> {
    /// The place, as a JSON pointer (RFC 6901) into the body.
    #[schema(example = "/events/3/actor/id")]
    pointer: &'a str,
    /// What is wrong there, and the remedy.
    detail: &'a str,
}

impl Problem {
    /// A problem with a sentence for the caller.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
            stored: None,
            column: None,
        }
    }

    /// The sentence for the caller.
    pub(crate) fn into_detail(self) -> String {
        self.detail
    }

    /// What the caller may not know or what is not there: the same answer for both.
    pub(crate) fn not_found() -> Self {
        Self::new(
            Code::NotFound,
            "There is nothing here, or nothing that this credential may see.",
        )
    }

    /// No credential, or one that does not stand any more.
    pub(crate) fn unproven() -> Self {
        Self::new(
            Code::Unauthorized,
            "Send the header Authorization: Bearer KEY with a valid key, or sign in.",
        )
    }

    /// Somebody is known and may not.
    pub(crate) fn forbidden(detail: &str) -> Self {
        Self::new(Code::Forbidden, detail)
    }

    /// A problem with query parameter or header `name`.
    pub(crate) fn parameter(name: &str, detail: &str) -> Self {
        Self::new(Code::InvalidParameter, format!("{name}: {detail}"))
    }

    /// A text of the query language that cannot be read: the place, and what was expected there.
    pub(crate) fn query(column: usize, expected: &str) -> Self {
        let problem = Self::new(
            Code::InvalidQuery,
            format!("At column {column} of the query: expected {expected}."),
        );
        Self {
            column: Some(column),
            ..problem
        }
    }

    /// The same of a query that stands in a body, at its place.
    pub(crate) fn in_body(self, pointer: Pointer) -> Self {
        let column = self.column;
        Self {
            column,
            ..Self::fault(Code::Invalid, pointer, self.detail)
        }
    }

    /// Faults of the body. The detail repeats the first.
    pub(crate) fn faults(code: Code, errors: Vec<Fault>) -> Self {
        let more = errors.len().saturating_sub(1);
        let detail = match errors.first() {
            Some(first) if more == 0 => first.to_string(),
            Some(first) => format!("{first} (and {more} more)"),
            None => code.title().to_owned(),
        };
        Self {
            errors,
            ..Self::new(code, detail)
        }
    }

    /// A single fault at `pointer`.
    pub(crate) fn fault(code: Code, pointer: Pointer, detail: impl Into<String>) -> Self {
        Self::faults(code, vec![Fault::new(pointer, detail)])
    }

    /// A fault of ours: the detail goes to the log, the caller gets the request's id.
    pub(crate) fn internal() -> Self {
        Self::new(
            Code::Internal,
            "The request could not be completed. The log has more under the request's id.",
        )
    }

    /// When trying again may help, in seconds.
    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        Self {
            retry_after_seconds: Some(seconds),
            ..self
        }
    }

    /// Whether the events of the request are stored: `no` or `unknown`.
    pub(crate) fn stored(self, stored: &'static str) -> Self {
        Self {
            stored: Some(stored),
            ..self
        }
    }

    /// The response with the problem's document, under the request's id.
    pub(crate) fn render(&self, request_id: &str) -> Response<Body> {
        let document = Document {
            r#type: format!("{LIST}{}", self.code.slug()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            request_id,
            errors: self.errors.iter().map(ErrorDocument::of).collect(),
            stored: self.stored,
            column: self.column,
        };
        let body = serde_json::to_vec(&document).expect("a problem is always valid JSON");
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthorized {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"trailbook\""),
            );
        }
        response
    }
}

impl<'a> ErrorDocument<'a> {
    fn of(fault: &'a Fault) -> Self {
        Self {
            pointer: fault.pointer.as_str(),
            detail: &fault.detail,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<trailbook_access::Error> for Problem {
    fn from(error: trailbook_access::Error) -> Self {
        match error {
            trailbook_access::Error::Ledger(error) => error.into(),
            trailbook_access::Error::Damaged(detail) => {
                tracing::error!(detail, "stored settings are damaged");
                Self::internal()
            }
        }
    }
}

impl From<ledger::Error> for Problem {
    /// What a ledger's refusal means to the caller. The internal message goes to the log only.
    fn from(error: ledger::Error) -> Self {
        match error {
            ledger::Error::ClientIdReused { .. } => Self::new(
                Code::Conflict,
                "A client_id of this request is stored with other content; use a new one.",
            ),
            ledger::Error::IdempotencyKeyReused => Self::new(
                Code::Conflict,
                "This Idempotency-Key was used for another body; nothing was stored. Use a new key for a new body.",
            ),
            ledger::Error::Conflict { detail } => {
                tracing::debug!(%detail, "a change was made from what is not there any more");
                Self::new(
                    Code::Stale,
                    "What was to be changed has changed meanwhile; nothing was stored. Read it again and decide anew.",
                )
                .stored("no")
            }
            ledger::Error::NotFound => Self::not_found(),
            ledger::Error::Gone => Self::new(Code::Gone, "It is below the minimum index: it has expired."),
            ledger::Error::Overloaded {
                limit,
                retry_after_seconds,
            } => Self::new(
                Code::Overloaded,
                format!("The limit {limit} is reached; nothing was stored. Try again later."),
            )
            .retry_after(retry_after_seconds)
            .stored("no"),
            ledger::Error::Refused { reason } => {
                tracing::error!(%reason, "the ledger refuses to write");
                Self::new(Code::WritingRefused, format!("{reason} Nothing was stored."))
                    .retry_after(60)
                    .stored("no")
            }
            ledger::Error::Unknown => {
                let detail = "The connection to the database was lost while committing. Repeat the request with the same \
                              Idempotency-Key or client_id: that is always safe.";
                Self::new(Code::OutcomeUnknown, detail).retry_after(1).stored("unknown")
            }
            ledger::Error::Storage { operation, detail } => {
                tracing::error!(operation, %detail, "storage failed");
                Self::new(Code::Unavailable, "The storage does not answer; nothing was stored.")
                    .retry_after(5)
                    .stored("no")
            }
            ledger::Error::Corrupt { detail } => {
                tracing::error!(%detail, "stored data is damaged");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_published_list_with_its_status() {
        let list = include_str!("../../../../docs/problems.md");
        for code in Code::ALL {
            let row = format!("| `{}` | {} |", code.slug(), code.status().as_u16());
            assert!(list.contains(&row), "docs/problems.md has no row {row}");
        }
    }

    #[test]
    fn a_problem_counts_the_faults_that_its_detail_does_not_name() {
        let fault = |token: &str| Fault::new(Pointer::root().child(token), "is required.");
        let problem = Problem::faults(Code::Invalid, vec![fault("actor"), fault("action")]);
        assert_eq!(problem.detail, "/actor: is required. (and 1 more)");
    }
}
