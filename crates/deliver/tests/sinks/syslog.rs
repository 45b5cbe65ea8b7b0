//! Syslog over TCP and TLS.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};
use trailbook_deliver::sink::{Failure, Sink};

use crate::{
    batch::{batch, large, records},
    kinds,
};

/// The messages of octets that were counted.
fn messages(mut bytes: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&bytes[..space]).unwrap().parse().unwrap();
        let (message, rest) = bytes[space + 1..].split_at(length);
        messages.push(String::from_utf8(message.to_vec()).unwrap());
        bytes = rest;
    }
    messages
}

async fn read_all(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

/// A certificate as people paste it.
fn pem(certificate: &[u8]) -> String {
    let encoded = STANDARD.encode(certificate);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

fn syslog(host: &str, port: u16, more: &Value) -> Box<dyn Sink> {
    let mut destination = json!({"type": "syslog", "host": host, "port": port, "tls": false});
    for (name, value) in more.as_object().unwrap() {
        destination[name] = value.clone();
    }
    kinds::open_with("127.0.0.0/8, ::1", destination, json!({})).unwrap_or_else(|fault| panic!("{fault}"))
}

/// A receiver with a certificate for `localhost`: its port, the certificate as PEM, and what it hears of one connection.
async fn tls_receiver() -> (u16, String, JoinHandle<Vec<u8>>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        match TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            Ok(stream) => read_all(stream).await,
            Err(_) => Vec::new(),
        }
    });
    (port, pem(made.cert.der()), heard)
}

#[tokio::test]
async fn a_batch_is_counted_messages_over_one_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move { read_all(listener.accept().await.unwrap().0).await });
    let sent = syslog("127.0.0.1", port, &json!({})).send(&batch(&records(7, 3))).await;
    assert_eq!(sent, Ok(Vec::new()));
    let messages = messages(&heard.await.unwrap());
    assert_eq!(messages.len(), 3);
    for (message, sequence) in messages.iter().zip(7..) {
        assert!(message.starts_with('<'), "{message}");
        assert!(message.contains(">1 "), "{message}");
        assert!(
            message.ends_with(&format!("{{\"sequence\":{sequence},\"name\":\"Zoë \\\"Z\\\"\"}}")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn over_tls_the_receiver_proves_its_name_to_the_authority_that_was_given() {
    let (port, ca, heard) = tls_receiver().await;
    let sink = syslog("localhost", port, &json!({"tls": true, "ca": ca}));
    assert_eq!(sink.send(&batch(&records(0, 2))).await, Ok(Vec::new()));
    assert_eq!(messages(&heard.await.unwrap()).len(), 2);
    let (port, ca, heard) = tls_receiver().await;
    let another_name = syslog("127.0.0.1", port, &json!({"tls": true, "ca": ca}));
    let sent = another_name.send(&batch(&records(0, 2))).await;
    let reason = "Nothing was delivered: no TLS connection to the server.";
    assert_eq!(sent, Err(Failure::later(reason)));
    assert!(heard.await.unwrap().is_empty());
    let ((port, _, heard), (_, other_ca, _)) = (tls_receiver().await, tls_receiver().await);
    let another_authority = syslog("localhost", port, &json!({"tls": true, "ca": other_ca}));
    assert_eq!(
        another_authority.send(&batch(&records(0, 2))).await,
        Err(Failure::later(reason))
    );
    assert!(heard.await.unwrap().is_empty());
}

#[tokio::test]
async fn a_receiver_that_breaks_off_or_never_reads_has_not_got_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // The rest is not read, so that the kernel resets the connection.
        let _ = stream.read(&mut [0; 16]).await;
        drop(stream);
        let (_unread, _) = listener.accept().await.unwrap();
        std::future::pending::<()>().await;
    });
    let records: Vec<_> = (0..20).map(|sequence| large(sequence, 1_000_000)).collect();
    for reason in [
        "The destination broke the connection off before everything was delivered.",
        "Nothing was delivered: the server cannot be reached.",
    ] {
        let sent = syslog("127.0.0.1", port, &json!({})).send(&batch(&records)).await;
        assert_eq!(sent, Err(Failure::later(reason)));
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_like_the_end_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        let _ = stream.write_all(b"bye").await;
        let _ = stream.set_zero_linger();
    });
    let sent = syslog("127.0.0.1", port, &json!({})).send(&batch(&records(0, 1))).await;
    assert!(matches!(sent, Err(Failure::Later { .. })), "{sent:?}");
}
