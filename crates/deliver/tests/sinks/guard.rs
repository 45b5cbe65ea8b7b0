//! Nobody's stream reaches into the operator's network.

use serde_json::{Value, json};
use trailbook_deliver::sink::Failure;

use crate::{
    batch::{batch, records},
    kinds,
    server::{Server, says},
};

/// Every kind at a host, with its protocol's protection or without.
fn everything(host: &str, port: u16, secure: bool) -> Vec<(Value, Value)> {
    let scheme = if secure { "https" } else { "http" };
    let mut all = kinds::http(&format!("{scheme}://{host}:{port}"));
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    all.push((
        json!({"type": "syslog", "host": bare, "port": port, "tls": secure}),
        json!({}),
    ));
    all
}

#[tokio::test]
async fn no_kind_of_destination_reaches_a_name_that_leads_inside() {
    let server = Server::new([says(200, "{}")]).await;
    for secure in [false, true] {
        for (destination, secrets) in everything("localhost", server.address.port(), secure) {
            let told = destination.to_string();
            // Any network lets names pass at first: only their addresses tell.
            let sink = kinds::open_with("192.0.2.0/24", destination, secrets).unwrap_or_else(|fault| panic!("{fault}"));
            let sent = sink.send(&batch(&records(0, 1))).await;
            let Err(Failure::Later { reason, .. }) = sent else {
                panic!("{told}: {sent:?}");
            };
            assert!(reason.contains("the server cannot be used"), "{told}: {reason}");
        }
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn addresses_inside_are_faults_before_anything_is_sent() {
    for host in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "[::1]",
        "[fd00:ec2::254]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
    ] {
        for (destination, secrets) in everything(host, 443, true) {
            let told = destination.to_string();
            let fault = kinds::open_with("", destination, secrets).err().expect(&told);
            assert!(fault.pointer.as_str().starts_with("/destination/"), "{told}: {fault}");
            assert!(fault.detail.contains("private_destinations"), "{told}: {fault}");
        }
    }
}

#[tokio::test]
async fn what_is_sent_in_the_clear_or_to_other_ports_is_for_the_operator_to_allow() {
    for (port, secure) in [(443, false), (80, false), (22, true), (6379, true)] {
        for (destination, secrets) in everything("siem.example.com", port, secure) {
            let told = destination.to_string();
            assert!(
                kinds::open_with("", destination.clone(), secrets.clone()).is_err(),
                "{told}"
            );
            assert!(
                kinds::open_with("siem.example.com", destination, secrets).is_ok(),
                "{told}"
            );
        }
    }
    for (destination, secrets) in everything("siem.example.com", 443, true) {
        assert!(kinds::open_with("", destination, secrets).is_ok());
    }
    let syslog = |port| json!({"type": "syslog", "host": "siem.example.com", "port": port, "tls": true});
    assert!(kinds::open_with("", syslog(6514), json!({})).is_ok());
    let https = json!({"type": "webhook", "url": "https://siem.example.com:6514/"});
    let secret = json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    assert!(kinds::open_with("", https, secret).is_err());
}
