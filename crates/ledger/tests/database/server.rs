//! Servers that are not fit, versions that are not known, and encrypted connections.

use base64::Engine;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use trailbook_event::Timestamp;
use trailbook_ledger::{Clock, ConnectError, Postgres, PostgresOptions, database::Database, examine};
use trailbook_testkit::PostgresServer;

use crate::support::{Served, client, connect, load, until};

async fn refused(url: &str) -> ConnectError {
    let connected = Postgres::connect(url, PostgresOptions::default(), Default::default()).await;
    connected.err().unwrap()
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused_unless_it_can_be_read() {
    let place = Served::new();
    drop(place.postgres().await);
    let client = client(&place.database.url()).await;
    let at = async |version: i64, readable_by: i64| {
        let set = "UPDATE schema SET version = $1, readable_by = $2";
        assert_eq!(client.execute(set, &[&version, &readable_by]).await.unwrap(), 1);
    };
    at(2, 2).await;
    let error = refused(&place.database.url()).await;
    assert!(
        matches!(
            error,
            ConnectError::TooNew {
                found: 2,
                readable_by: 2,
                known: 1
            }
        ),
        "{error}"
    );
    at(2, 1).await;
    load(&place.postgres().await).await;
    let version = client.query_one("SELECT version FROM schema", &[]).await.unwrap();
    assert_eq!(version.get::<_, i64>(0), 2, "it stays what it is");
}

#[tokio::test]
async fn many_nodes_that_start_at_once_make_one_schema() {
    let place = Served::new();
    let connected = futures::future::join_all((0..4).map(|_| place.postgres())).await;
    let mut names = Vec::new();
    for (node, database) in connected.iter().enumerate() {
        let loaded = database
            .load([node as u8; 32], format!("trailbook/{node}"))
            .await
            .unwrap();
        names.push((loaded.deployment, loaded.secret));
    }
    names.dedup();
    assert_eq!(names.len(), 1, "{names:?}");
}

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::from_millis(since.as_millis() as i64)
    }

    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_acknowledged_is_refused_with_the_remedy() {
    let place = Served::on(PostgresServer::own());
    let url = place.database.url();
    drop(place.postgres().await);
    let failed = async || -> Vec<&'static str> {
        let checks = examine(&url, &Now).await;
        assert!(checks.len() > 8, "{checks:?}");
        checks
            .iter()
            .filter(|check| !check.ok)
            .map(|check| check.name)
            .collect()
    };
    assert_eq!(failed().await, Vec::<&str>::new());
    let admin = client(&url).await;
    for setting in ["fsync", "full_page_writes"] {
        admin
            .batch_execute(&format!("ALTER SYSTEM SET {setting} = off"))
            .await
            .unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        until("the setting is read", async || failed().await == [setting]).await;
        let error = refused(&url).await.to_string();
        assert!(error.contains(&format!("set {setting}=on")), "{error}");
        admin
            .batch_execute(&format!("ALTER SYSTEM RESET {setting}"))
            .await
            .unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        until("the setting is read", async || failed().await.is_empty()).await;
    }
    // What a role or a database sets does not weaken what we ask for.
    admin
        .batch_execute("ALTER ROLE trailbook SET synchronous_commit = off")
        .await
        .unwrap();
    assert_eq!(failed().await, Vec::<&str>::new());
    admin
        .batch_execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        .await
        .unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let error = refused(&format!("{server}/latin")).await.to_string();
    assert!(error.contains("ENCODING 'UTF8'"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_without_the_password() {
    let error = refused("postgres://me:hidden@127.0.0.1:1/events").await.to_string();
    assert!(error.contains("cannot connect") && !error.contains("hidden"), "{error}");
    let checks = examine("postgres://me:hidden@127.0.0.1:1/events", &Now).await;
    assert!(
        checks.len() == 1 && !checks[0].ok && !checks[0].detail.contains("hidden"),
        "{checks:?}"
    );
}

fn pem(what: &str, bytes: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

#[tokio::test]
async fn connections_are_encrypted_and_the_server_is_who_it_says() {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (authority(), authority());
    let key = KeyPair::generate().unwrap();
    let named = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = named.signed_by(&key, &ours).unwrap();
    let place = Served::on(PostgresServer::own());
    place
        .server
        .put("server.key", pem("PRIVATE KEY", &key.serialize_der()).as_bytes());
    place
        .server
        .put("server.crt", pem("CERTIFICATE", certificate.der()).as_bytes());
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (ours, other) = (
        file("ours.pem", pem("CERTIFICATE", ours.der())),
        file("other.pem", pem("CERTIFICATE", other.der())),
    );
    let by_address = place.database.url();
    let by_name = by_address.replace("127.0.0.1", "localhost");
    let error = refused(&format!("{by_address}?sslmode=require")).await;
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error}");
    let admin = client(&by_address).await;
    admin.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let encrypted = async || -> i64 {
        let count = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND datname = current_database()";
        admin.query_one(count, &[]).await.unwrap().get(0)
    };
    until("the server encrypts", async || {
        let url = format!("{by_address}?sslmode=require");
        Postgres::connect(&url, PostgresOptions::default(), Default::default())
            .await
            .is_ok()
    })
    .await;
    until("no connection is encrypted", async || encrypted().await == 0).await;
    for url in [
        format!("{by_address}?sslmode=require"),
        by_address.clone(),
        format!("{by_name}?sslmode=verify-full&sslrootcert={ours}"),
    ] {
        let database = connect(&url, PostgresOptions::default()).await;
        load(&database).await;
        assert!(encrypted().await > 0, "{url}");
        drop(database);
        until("no connection is encrypted", async || encrypted().await == 0).await;
    }
    let plain = connect(&format!("{by_address}?sslmode=disable"), PostgresOptions::default()).await;
    load(&plain).await;
    assert_eq!(encrypted().await, 0);
    for url in [
        format!("{by_address}?sslmode=verify-full&sslrootcert={ours}"),
        format!("{by_name}?sslmode=verify-full&sslrootcert={other}"),
        format!("{by_name}?sslmode=verify-full"),
    ] {
        let error = refused(&url).await;
        assert!(
            matches!(error, ConnectError::Unreachable(_) | ConnectError::Url(_)),
            "{url}: {error}"
        );
    }
}
