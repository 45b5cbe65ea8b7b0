//! Commands over https: through a proxy before the server, whose certificate only a file of authorities makes known.

use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use crate::server::{ROOT_KEY, Server, event};

/// Ends TLS before a server, as `localhost`. The certificate, in PEM; and the address, as long as the runtime lives.
fn proxy(runtime: &tokio::runtime::Runtime, server: String) -> (String, SocketAddr) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                // Whoever does not trust the certificate goes away.
                let Ok(mut outside) = acceptor.accept(stream).await else {
                    return;
                };
                let mut inside = TcpStream::connect(server).await.unwrap();
                tokio::io::copy_bidirectional(&mut outside, &mut inside).await.ok();
            });
        }
    });
    (pem(made.cert.der()), address)
}

fn pem(certificate: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn run(authorities: &Path, url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_trailbook"))
        .env_clear()
        .env("SSL_CERT_FILE", authorities)
        .env("TRAILBOOK_SERVER", url)
        .env("TRAILBOOK_KEY", ROOT_KEY)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn commands_speak_https_with_a_server_that_proves_its_name_and_with_no_other() {
    let server = Server::start();
    server.fill("acme", 3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (certificate, address) = proxy(&runtime, server.address.clone());
    let scratch = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let known = file("known.pem", &certificate);
    let another = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let unknown = file("unknown.pem", &pem(another.cert.der()));
    let events = file("events.jsonl", &event("acme", 3).to_string());
    let (events, rejects) = (events.to_str().unwrap(), scratch.path().join("rejects"));
    let url = format!("https://localhost:{}", address.port());
    let key = server.verifier_key("acme");
    let commands: [&[&str]; 3] = [
        &["key", "list"],
        &[
            "import",
            "--organization",
            "acme",
            "--rejects",
            rejects.to_str().unwrap(),
            events,
        ],
        &["verify", &url, "--organization", "acme", "--key", &key],
    ];
    for arguments in commands {
        let (code, said) = run(&unknown, &url, arguments);
        assert_ne!(code, Some(0), "{arguments:?}: {said}");
        assert!(said.contains("certificate") && !said.contains("tried"), "{said}");
    }
    assert_eq!(server.count("acme"), 3);
    for arguments in commands {
        let (code, said) = run(&known, &url, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
    }
    assert_eq!(server.count("acme"), 4, "what was imported arrived");
    let by_address = format!("https://{address}");
    assert_ne!(run(&known, &by_address, commands[0]).0, Some(0), "it is another name");
}
