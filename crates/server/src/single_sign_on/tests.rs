//! A provider that says whatever a test wants, signed by whatever key: what must not be believed is not.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, routing};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use trailbook_event::Timestamp;

use super::*;
use crate::inputs::OsRandom;

const NOW_MS: i64 = 1_800_000_000_000;
const NOW: i64 = NOW_MS / 1_000;
const CLIENT: &str = "trailbook";
const SUBJECT: &str = "person-1";

#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW_MS + self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst) as u64)
    }
}

impl TestClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }
}

/// What the provider answers.
struct Says {
    issuer: String,
    /// Beyond the usual description.
    metadata: Value,
    /// Names of the published keys.
    published: Vec<&'static str>,
    header: Value,
    signature: Signature,
    claims: Value,
    userinfo: Value,
    /// What was asked.
    descriptions: usize,
    keys: usize,
    exchanges: Vec<HashMap<String, String>>,
}

enum Signature {
    Of(&'static str),
    Shared(Vec<u8>),
    None,
}

type Shared = Arc<Mutex<Says>>;

fn key(name: &str) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(name).into())
}

fn jwk(name: &str) -> Value {
    let public = BASE64.encode(key(name).verifying_key().as_bytes());
    json!({"kty": "OKP", "crv": "Ed25519", "kid": name, "use": "sig", "alg": "EdDSA", "x": public})
}

fn token(says: &Says) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signed = format!("{}.{}", part(&says.header), part(&says.claims));
    let signature = match &says.signature {
        Signature::Of(name) => key(name).sign(signed.as_bytes()).to_bytes().to_vec(),
        Signature::Shared(secret) => {
            let mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
            mac.chain_update(&signed).finalize().into_bytes().to_vec()
        }
        Signature::None => Vec::new(),
    };
    format!("{signed}.{}", BASE64.encode(signature))
}

async fn describe(State(says): State<Shared>) -> Json<Value> {
    let mut says = says.lock().expect("a lock");
    says.descriptions += 1;
    let issuer = &says.issuer;
    let mut description = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    });
    merge(&mut description, &says.metadata);
    Json(description)
}

async fn keys(State(says): State<Shared>) -> Json<Value> {
    let mut says = says.lock().expect("a lock");
    says.keys += 1;
    Json(json!({"keys": says.published.iter().map(|name| jwk(name)).collect::<Vec<_>>()}))
}

async fn exchange(State(says): State<Shared>, body: String) -> Json<Value> {
    let mut says = says.lock().expect("a lock");
    let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    says.exchanges.push(form);
    Json(json!({"access_token": "access", "token_type": "Bearer", "id_token": token(&says)}))
}

async fn userinfo(State(says): State<Shared>) -> Json<Value> {
    Json(says.lock().expect("a lock").userinfo.clone())
}

fn merge(into: &mut Value, from: &Value) {
    for (name, value) in from.as_object().expect("an object") {
        into[name] = value.clone();
    }
}

struct Scene {
    says: Shared,
    clock: Arc<TestClock>,
    single_sign_on: SingleSignOn,
    connection: Connection,
}

/// A sign-in that has come back to us, before it is finished.
struct Returned {
    cookie: String,
    callback: Callback,
}

impl Scene {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let says = Arc::new(Mutex::new(Says {
            issuer: issuer.clone(),
            metadata: json!({}),
            published: vec!["one"],
            header: json!({"alg": "EdDSA", "kid": "one"}),
            signature: Signature::Of("one"),
            claims: json!({}),
            userinfo: json!({"sub": SUBJECT, "email": "ann@acme.example", "email_verified": true, "groups": ["a"]}),
            descriptions: 0,
            keys: 0,
            exchanges: Vec::new(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", routing::get(describe))
            .route("/keys", routing::get(keys))
            .route("/token", routing::post(exchange))
            .route("/userinfo", routing::get(userinfo))
            .with_state(says.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let clock = Arc::new(TestClock::default());
        let single_sign_on = SingleSignOn::new(
            Arc::new(Outbound::new("127.0.0.0/8".parse().expect("an entry"))),
            (clock.clone(), Arc::new(OsRandom)),
            Keys {
                secrets: EncryptionKey::new([2; 32]),
                attempts: EncryptionKey::new([3; 32]),
            },
            "https://logs.example/auth/callback".parse().expect("a URL"),
        );
        let connection = Connection {
            issuer,
            client_id: CLIENT.into(),
            client_secret: Secret::new("hunter2".into()),
            groups_claim: "groups".into(),
        };
        Self {
            says,
            clock,
            single_sign_on,
            connection,
        }
    }

    fn say(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().expect("a lock"));
    }

    /// Leaves for the provider, which answers with a code and prepares a good token.
    async fn returned(&self) -> Returned {
        let begun = self
            .single_sign_on
            .begin("default/acme", &self.connection, LocalPath::default());
        let begun = begun.await.expect("begun");
        let query: HashMap<String, String> = begun.location.query_pairs().into_owned().collect();
        self.say(|says| {
            says.claims = json!({
                "iss": says.issuer, "sub": SUBJECT, "aud": CLIENT, "iat": NOW, "exp": NOW + 300, "nonce": query["nonce"],
            });
        });
        Returned {
            cookie: begun.cookie,
            callback: Callback {
                state: Some(query["state"].clone()),
                code: Some("code-1".into()),
                ..Callback::default()
            },
        }
    }

    async fn finish(&self, returned: Returned) -> Result<Identity, Error> {
        let attempt = self.single_sign_on.open(Some(&returned.cookie), &returned.callback)?;
        assert_eq!(attempt.organization, "default/acme");
        self.single_sign_on
            .finish(attempt, &self.connection, returned.callback)
            .await
    }

    /// A whole sign-in at a provider that says something else than it should.
    async fn signed_in(&self, change: impl FnOnce(&mut Says)) -> Result<Identity, Error> {
        let returned = self.returned().await;
        self.say(change);
        self.finish(returned).await
    }

    /// The sign-in is refused, and for this reason.
    async fn assert_untrusted(&self, what: &str, reason: &str, change: impl FnOnce(&mut Says)) {
        let outcome = self.signed_in(change).await;
        let said = match &outcome {
            Err(Error::Untrusted(said)) => said.contains(reason),
            _ => false,
        };
        assert!(said, "{what}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_person_is_who_the_id_token_and_userinfo_say() {
    let scene = Scene::new().await;
    let identity = scene.signed_in(|_| {}).await.expect("signed in");
    assert_eq!(
        (identity.issuer, identity.subject),
        (scene.connection.issuer.clone(), SUBJECT.into())
    );
    assert_eq!(identity.groups, ["a"]);
    assert!(identity.email.expect("an address").verified);
    let says = scene.says.lock().expect("a lock");
    assert_eq!(says.exchanges[0]["redirect_uri"], "https://logs.example/auth/callback");
}

#[tokio::test]
async fn the_code_verifier_is_that_of_the_challenge() {
    let scene = Scene::new().await;
    let begun = scene
        .single_sign_on
        .begin("default/acme", &scene.connection, LocalPath::default());
    let query: HashMap<_, _> = begun
        .await
        .expect("begun")
        .location
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(
        (query["code_challenge_method"].as_str(), query["response_type"].as_str()),
        ("S256", "code")
    );
    let returned = scene.returned().await;
    scene.finish(returned).await.expect("signed in");
    let verifier = scene.says.lock().expect("a lock").exchanges[0]["code_verifier"].clone();
    assert_eq!(verifier.len(), 43);
    assert_ne!(
        BASE64.encode(Sha256::digest(&verifier)),
        query["code_challenge"],
        "each attempt has its own"
    );
}

#[tokio::test]
async fn tokens_that_are_not_for_this_attempt_are_not_believed() {
    let cases: [(&str, &str, Value); 12] = [
        (
            "another issuer",
            "another issuer",
            json!({"iss": "https://evil.example"}),
        ),
        ("the issuer with a slash", "another issuer", json!({"iss": "SLASH"})),
        ("another audience", "another client", json!({"aud": "another-client"})),
        (
            "an audience beside ours",
            "another client",
            json!({"aud": [CLIENT, "another-client"]}),
        ),
        ("no audience", "another client", json!({"aud": []})),
        (
            "another authorized party",
            "another client",
            json!({"azp": "another-client"}),
        ),
        ("expired", "expired", json!({"exp": NOW - 61})),
        ("from the future", "from the future", json!({"iat": NOW + 61})),
        ("another nonce", "nonce", json!({"nonce": "another"})),
        ("no nonce", "nonce", json!({"nonce": null})),
        (
            "an access token that was exchanged",
            "another access token",
            json!({"at_hash": BASE64.encode([0; 32])}),
        ),
        ("another subject than userinfo", "userinfo", json!({"sub": "person-2"})),
    ];
    for (what, reason, claims) in cases {
        let scene = Scene::new().await;
        let change = |says: &mut Says| {
            merge(&mut says.claims, &claims);
            if says.claims["iss"] == "SLASH" {
                says.claims["iss"] = json!(format!("{}/", says.issuer));
            }
        };
        scene.assert_untrusted(what, reason, change).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_a_minute_off_does_not_matter() {
    let scene = Scene::new().await;
    let claims = json!({"exp": NOW - 59, "iat": NOW + 59});
    scene
        .signed_in(|says| merge(&mut says.claims, &claims))
        .await
        .expect("signed in");
}

#[tokio::test]
async fn signatures_count_only_by_the_allowed_algorithms_and_published_keys() {
    let (wrong, unknown) = ("not signed by", "does not publish");
    let (public, text) = (
        key("one").verifying_key().to_bytes().to_vec(),
        jwk("one").to_string().into_bytes(),
    );
    let cases = [
        ("none", wrong, json!({"alg": "none"}), Signature::None),
        (
            "none with a key",
            wrong,
            json!({"alg": "none", "kid": "one"}),
            Signature::Of("one"),
        ),
        (
            "no signature",
            wrong,
            json!({"alg": "EdDSA", "kid": "one"}),
            Signature::None,
        ),
        (
            "HS256 with the public key",
            wrong,
            json!({"alg": "HS256", "kid": "one"}),
            Signature::Shared(public),
        ),
        (
            "HS256 with the key's text",
            wrong,
            json!({"alg": "HS256", "kid": "one"}),
            Signature::Shared(text),
        ),
        (
            "HS256 with the client secret",
            wrong,
            json!({"alg": "HS256"}),
            Signature::Shared(b"hunter2".to_vec()),
        ),
        (
            "another key",
            wrong,
            json!({"alg": "EdDSA", "kid": "one"}),
            Signature::Of("two"),
        ),
        (
            "an unpublished key",
            unknown,
            json!({"alg": "EdDSA", "kid": "two"}),
            Signature::Of("two"),
        ),
        (
            "a key of the header",
            unknown,
            json!({"alg": "EdDSA", "kid": "two", "jwk": jwk("two")}),
            Signature::Of("two"),
        ),
    ];
    for (what, reason, header, signature) in cases {
        let scene = Scene::new().await;
        let change = |says: &mut Says| {
            says.header = header;
            says.signature = signature;
        };
        scene.assert_untrusted(what, reason, change).await;
    }
}

#[tokio::test]
async fn userinfo_about_another_person_is_not_believed() {
    let scene = Scene::new().await;
    let other = json!({"sub": "person-2"});
    scene
        .assert_untrusted("another subject", "userinfo", |says: &mut Says| {
            merge(&mut says.userinfo, &other)
        })
        .await;
    scene
        .assert_untrusted("no subject", "userinfo", |says: &mut Says| {
            says.userinfo = json!({"email": "ann@acme.example"})
        })
        .await;
}

#[tokio::test]
async fn an_address_is_verified_only_by_the_document_that_names_it() {
    let scene = Scene::new().await;
    let email = async |claims: Value, userinfo: Value| {
        let outcome = scene.signed_in(|says| {
            merge(&mut says.claims, &claims);
            says.userinfo = userinfo;
            says.userinfo["sub"] = json!(SUBJECT);
        });
        outcome.await.expect("signed in").email
    };
    let told = email(
        json!({"email": "a@x.example", "email_verified": true}),
        json!({"email": "b@x.example"}),
    )
    .await;
    assert_eq!(
        told.map(|email| (email.address, email.verified)),
        Some(("b@x.example".into(), false))
    );
    let told = email(json!({"email": "a@x.example"}), json!({"email_verified": true})).await;
    assert_eq!(
        told.map(|email| (email.address, email.verified)),
        Some(("a@x.example".into(), false))
    );
}

#[tokio::test]
async fn groups_are_a_list_of_texts_or_one_text() {
    let scene = Scene::new().await;
    let groups = async |groups: Value| {
        let outcome = scene.signed_in(|says| says.userinfo["groups"] = groups).await;
        outcome.map(|identity| identity.groups)
    };
    assert_eq!(groups(json!("a")).await.expect("one"), ["a"]);
    assert_eq!(groups(json!(["b", "a"])).await.expect("two"), ["b", "a"]);
    assert!(groups(json!(null)).await.expect("none").is_empty());
    for wrong in [json!([1]), json!({"a": true}), json!(["a", null]), json!(7)] {
        assert!(
            matches!(groups(wrong.clone()).await, Err(Error::Untrusted(_))),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn an_answer_counts_for_the_browser_that_began_and_once() {
    let scene = Scene::new().await;
    let (mine, theirs) = (scene.returned().await, scene.returned().await);
    let open = |cookie: Option<&str>, callback: &Callback| scene.single_sign_on.open(cookie, callback);
    assert!(matches!(open(None, &mine.callback), Err(Error::AnotherBrowser)));
    assert!(matches!(
        open(Some(&theirs.cookie), &mine.callback),
        Err(Error::AnotherBrowser)
    ));
    assert!(matches!(
        open(Some(&mine.cookie), &Callback::default()),
        Err(Error::AnotherBrowser)
    ));
    open(Some(&mine.cookie), &mine.callback).expect("the first time");
    assert!(matches!(open(Some(&mine.cookie), &mine.callback), Err(Error::Over)));
    scene.clock.advance(Duration::from_millis(ATTEMPT_MS as u64));
    assert!(matches!(open(Some(&theirs.cookie), &theirs.callback), Err(Error::Over)));
    assert!(
        scene.says.lock().expect("a lock").exchanges.is_empty(),
        "the provider was not even asked"
    );
}

#[tokio::test]
async fn an_answer_of_another_issuer_does_not_reach_this_one() {
    let scene = Scene::new().await;
    let mut returned = scene.returned().await;
    returned.callback.iss = Some("https://evil.example".into());
    assert!(matches!(scene.finish(returned).await, Err(Error::Untrusted(_))));
    let mut returned = scene.returned().await;
    returned.callback.iss = Some(scene.connection.issuer.clone());
    scene.finish(returned).await.expect("signed in");

    let scene = Scene::new().await;
    scene.say(|says| says.metadata = json!({"authorization_response_iss_parameter_supported": true}));
    let returned = scene.returned().await;
    assert!(
        matches!(scene.finish(returned).await, Err(Error::Untrusted(_))),
        "it says that it names itself"
    );
    assert!(
        scene.says.lock().expect("a lock").exchanges.is_empty(),
        "no code was sent"
    );
}

#[tokio::test]
async fn a_connection_that_changed_in_between_finishes_nothing() {
    let mut scene = Scene::new().await;
    let returned = scene.returned().await;
    scene.connection.client_id = "another-client".into();
    assert!(matches!(scene.finish(returned).await, Err(Error::Changed)));
}

#[tokio::test]
async fn new_keys_are_fetched_when_a_token_names_one_but_not_more_often_than_allowed() {
    let scene = Scene::new().await;
    let rotated = |says: &mut Says| {
        says.published = vec!["one", "two"];
        says.header = json!({"alg": "EdDSA", "kid": "two"});
        says.signature = Signature::Of("two");
    };
    scene.signed_in(|_| {}).await.expect("with the first key");
    scene.clock.advance(provider::KEYS_AGE);
    scene.signed_in(rotated).await.expect("with the second key");
    assert_eq!(scene.says.lock().expect("a lock").keys, 2);
    for _ in 0..5 {
        let unknown = |says: &mut Says| {
            says.header = json!({"alg": "EdDSA", "kid": "three"});
            says.signature = Signature::Of("three");
        };
        scene
            .assert_untrusted("an unknown key", "does not publish", unknown)
            .await;
    }
    assert_eq!(scene.says.lock().expect("a lock").keys, 2, "not again within the time");
    scene.signed_in(rotated).await.expect("the second key is still known");
}

#[tokio::test]
async fn a_provider_is_described_once_an_hour_and_must_name_itself() {
    let scene = Scene::new().await;
    for _ in 0..3 {
        scene.returned().await;
    }
    assert_eq!(scene.says.lock().expect("a lock").descriptions, 1);
    scene.clock.advance(Duration::from_secs(60 * 60));
    for metadata in [
        json!({"issuer": "https://evil.example"}),
        json!({"authorization_endpoint": "javascript:alert(1)"}),
    ] {
        scene.say(|says| says.metadata = metadata);
        for _ in 0..2 {
            let refused = scene
                .single_sign_on
                .begin("default/acme", &scene.connection, LocalPath::default());
            assert!(refused.await.is_err());
        }
        scene.clock.advance(Duration::from_secs(10));
    }
    assert_eq!(
        scene.says.lock().expect("a lock").descriptions,
        3,
        "a failure is remembered for a moment"
    );
}
