//! A client of the server, for tests of what works on any object store.

use std::{error::Error as _, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Connector},
    rt::TokioExecutor,
};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpService,
    },
};
use tokio::time::timeout;

use crate::Settings;

/// What a request may take. Short, so that a test of a server that hangs is short.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Plain HTTP to loopback.
#[derive(Debug)]
struct Http(Client<Connector, HttpRequestBody>);

/// Makes it.
#[derive(Debug)]
struct Plain;

impl HttpConnector for Plain {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = Client::builder(TokioExecutor::new()).build(Connector::new());
        Ok(HttpClient::new(Http(client)))
    }
}

#[async_trait]
impl HttpService for Http {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let exchange = async {
            let response = self
                .0
                .request(request)
                .await
                .map_err(|error| failed(error.source().is_some(), error))?;
            let (head, body) = response.into_parts();
            let body: Bytes = body.collect().await.map_err(|error| failed(true, error))?.to_bytes();
            Ok(HttpResponse::from_parts(head, body.into()))
        };
        let answered = timeout(REQUEST_TIMEOUT, exchange).await;
        answered.unwrap_or_else(|late| Err(HttpError::new(HttpErrorKind::Timeout, late)))
    }
}

fn failed(interrupted: bool, error: impl std::error::Error + Send + Sync + 'static) -> HttpError {
    let kind = if interrupted {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Connect
    };
    HttpError::new(kind, error)
}

/// The bucket at a server, tried at most three times.
pub(crate) fn store(endpoint: &str, settings: &Settings) -> object_store::Result<Arc<dyn ObjectStore>> {
    let retry = RetryConfig {
        max_retries: 2,
        retry_timeout: Duration::from_secs(20),
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(5),
            max_backoff: Duration::from_millis(50),
            base: 2.0,
        },
    };
    let store = AmazonS3Builder::new()
        .with_http_connector(Plain)
        .with_retry(retry)
        .with_allow_http(true)
        .with_endpoint(endpoint)
        .with_region("us-east-1")
        .with_bucket_name(&settings.bucket)
        .with_access_key_id(&settings.access_key)
        .with_secret_access_key(&settings.secret_key)
        .build()?;
    Ok(Arc::new(store))
}
