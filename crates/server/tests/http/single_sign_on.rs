//! Single sign-on from the outside: the real server, a real identity provider, and a browser.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    identity_provider::{Browser, IdentityProvider, REDIRECT_URI},
    server::{Answer, ROOT_KEY, Server},
};

const ROLES: &str = r#"{"zebras":"owner","admins":"administrator","staff":"auditor"}"#;
const PATH: &str = "/v1/organizations/acme/single-sign-on";

struct Scene {
    provider: IdentityProvider,
    server: Server,
}

impl Scene {
    fn start(client: &str) -> Self {
        let environment = [
            ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
            ("TRAILBOOK_PUBLIC_URL", "https://logs.example"),
            ("TRAILBOOK_PRIVATE_DESTINATIONS", "127.0.0.0/8"),
            ("TRAILBOOK_LOG", "trace"),
        ];
        let server = Server::start_with(tempfile::tempdir().unwrap(), &environment);
        server.fill("acme", 1);
        let scene = Self {
            provider: IdentityProvider::start(),
            server,
        };
        let set = scene.set(&scene.settings(client));
        assert_eq!(set.status, 200, "{}", set.text());
        scene
    }

    fn settings(&self, client: &str) -> Value {
        json!({
            "issuer": self.provider.issuer,
            "client_id": client,
            "client_secret": format!("secret-of-{client}"),
            "roles": "ROLES",
        })
    }

    fn set(&self, settings: &Value) -> Answer {
        let authorization = format!("Bearer {ROOT_KEY}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        // The order of the groups counts, which values of the test's library do not keep.
        let body = settings.to_string().replace(r#""ROLES""#, ROLES);
        self.server.send("PUT", PATH, &headers, body.as_bytes())
    }

    fn person(&self, name: &str, groups: &[&str]) {
        let email = format!("{name}@acme.example");
        let claims = json!({"email": email, "email_verified": true, "name": name, "groups": groups});
        self.provider.person(name, &claims);
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address)
    }

    /// Begins at our server; the provider's page.
    fn begin(&self, browser: &mut Browser, query: &str) -> String {
        let begun = browser.get(&self.url(&format!("/auth/single-sign-on?organization=acme{query}")));
        assert_eq!(begun.status, 303, "{}", begun.body);
        begun.location.unwrap()
    }

    /// The path of our callback that the provider sends the browser to.
    fn back(&self, browser: &mut Browser, name: &str) -> String {
        let start = self.begin(browser, "&return_to=/?q=x");
        let back = browser.sign_in(&self.provider, &start, name);
        let query = back.strip_prefix(REDIRECT_URI).expect("the redirect URI");
        self.url(&format!("/auth/callback{query}"))
    }

    fn sign_in(&self, browser: &mut Browser, name: &str) -> crate::identity_provider::Page {
        let back = self.back(browser, name);
        browser.get(&back)
    }

    fn session(&self, browser: &mut Browser) -> Value {
        let session = browser.get(&self.url("/auth/session"));
        assert_eq!(session.status, 200, "{}", session.body);
        serde_json::from_str(&session.body).unwrap()
    }

    fn count(&self, action: &str) -> u64 {
        let path = format!("/v1/organizations/acme/events/count?action={action}");
        self.server.get(&path).json()["count"].as_u64().unwrap()
    }
}

#[test]
fn people_sign_in_at_a_real_provider_with_each_signature_and_have_the_role_of_their_groups() {
    let scene = Scene::start("rs256");
    for (client, name) in [("rs256", "ann"), ("es256", "ben"), ("eddsa", "cy")] {
        assert_eq!(scene.set(&scene.settings(client)).status, 200);
        scene.person(name, &["other", "staff"]);
        let mut browser = Browser::new();
        let page = scene.sign_in(&mut browser, name);
        assert_eq!(
            (page.status, page.location.as_deref()),
            (303, Some("/?q=x")),
            "{client}: {}",
            page.body
        );
        let session = page
            .set_cookies
            .iter()
            .find(|cookie| cookie.starts_with("__Host-trailbook=tb_sess_"));
        let session = session.expect("a session's cookie");
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(session.contains(attribute), "{session}");
        }
        let who = scene.session(&mut browser);
        assert_eq!(
            (who["email"].as_str(), who["role"].as_str()),
            (Some(&*format!("{name}@acme.example")), Some("auditor"))
        );
    }
    // Groups are asked at every sign-in, and the first of the settings that a person has counts.
    scene.person("ann", &["staff", "admins", "zebras"]);
    assert_eq!(scene.set(&scene.settings("rs256")).status, 200);
    let mut browser = Browser::new();
    assert_eq!(scene.sign_in(&mut browser, "ann").status, 303);
    assert_eq!(scene.session(&mut browser)["role"], "owner");
    assert_eq!(scene.count("trailbook.user.created"), 3);
    assert_eq!(scene.count("trailbook.user.role_changed"), 1);
    assert_eq!(scene.count("trailbook.user.signed_in"), 4);
    let log = scene.server.log();
    for secret in ["secret-of-", "tb_sess_", "code="] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn an_answer_counts_once_and_for_the_browser_that_began() {
    let scene = Scene::start("rs256");
    scene.person("ann", &["staff"]);
    let (mut ann, mut other) = (Browser::new(), Browser::new());
    let back = scene.back(&mut ann, "ann");
    assert_eq!(other.get(&back).status, 403, "a browser without the attempt");
    scene.begin(&mut other, "");
    assert_eq!(other.get(&back).status, 403, "a browser with another attempt");
    let kept = ann.attempt_cookie();
    let tampered = back.replace("state=", "state=x");
    let mut thief = Browser::new();
    thief.keep_attempt(&scene.server.address, &kept);
    assert_eq!(thief.get(&tampered).status, 403, "another state");
    assert_eq!(ann.get(&back).status, 303);
    assert_eq!(ann.get(&back).status, 403, "the attempt's cookie is gone");
    ann.keep_attempt(&scene.server.address, &kept);
    let replayed = ann.get(&back);
    assert_eq!(replayed.status, 403, "the attempt was used: {}", replayed.body);
    assert_eq!(scene.count("trailbook.user.signed_in"), 1);
}

#[test]
fn a_code_that_was_taken_is_not_taken_again() {
    let scene = Scene::start("rs256");
    scene.person("ann", &["staff"]);
    let mut browser = Browser::new();
    let first = scene.back(&mut browser, "ann");
    assert_eq!(browser.get(&first).status, 303);
    let part = |url: &str, name: &str| {
        let parts = url
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix(&format!("{name}=")));
        parts.unwrap().to_owned()
    };
    // A new attempt of the same browser, answered with the code of the first one: PKCE and the provider refuse it.
    let second = scene.back(&mut browser, "ann");
    let injected = second.replace(&part(&second, "code"), &part(&first, "code"));
    let refused = browser.get(&injected);
    assert_eq!(refused.status, 502, "{}", refused.body);
    assert!(refused.body.contains("/problems/identity-provider"), "{}", refused.body);
}

#[test]
fn an_answer_that_names_another_issuer_or_says_something_twice_is_refused() {
    let scene = Scene::start("rs256");
    scene.person("ann", &["staff"]);
    let mut browser = Browser::new();
    let back = scene.back(&mut browser, "ann");
    let start = back.find("iss=").unwrap();
    let other = format!("{}iss=https%3A%2F%2Fevil.example", &back[..start]);
    assert_eq!(browser.get(&other).status, 502);
    let back = scene.back(&mut browser, "ann");
    assert_eq!(browser.get(&format!("{back}&code=other")).status, 400);
    assert_eq!(scene.count("trailbook.user.signed_in"), 0);
}

#[test]
fn who_has_no_role_is_refused_and_that_is_recorded() {
    let scene = Scene::start("rs256");
    scene.person("eve", &["Staff"]);
    let mut browser = Browser::new();
    let page = scene.sign_in(&mut browser, "eve");
    assert_eq!(page.status, 403, "{}", page.body);
    assert!(page.body.contains("None of your groups"), "{}", page.body);
    assert_eq!(browser.get(&scene.url("/auth/session")).status, 401);
    assert_eq!(scene.count("trailbook.user.sign_in_failed"), 1);
}

#[test]
fn an_unverified_address_takes_over_no_account() {
    let scene = Scene::start("rs256");
    let user = json!({"email": "owner@acme.example", "role": "auditor", "password": "a fine long password"});
    let made = scene
        .server
        .post("/v1/organizations/acme/users", &[], user.to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    let claims =
        |verified: bool| json!({"email": "Owner@acme.example", "email_verified": verified, "groups": ["staff"]});
    scene.provider.person("eve", &claims(false));
    assert_eq!(scene.sign_in(&mut Browser::new(), "eve").status, 403);
    scene.provider.person("owner", &claims(true));
    let mut browser = Browser::new();
    assert_eq!(scene.sign_in(&mut browser, "owner").status, 303);
    assert_eq!(scene.session(&mut browser)["id"], made.json()["id"]);
    scene.provider.person("eve", &claims(true));
    assert_eq!(
        scene.sign_in(&mut Browser::new(), "eve").status,
        403,
        "the account is somebody's by now"
    );
}

#[test]
fn return_to_is_a_path_of_this_server() {
    let scene = Scene::start("rs256");
    for elsewhere in [
        "//evil.example",
        "/%5Cevil.example",
        "%2F%2Fevil.example",
        "https:evil.example",
        "https%3A%2F%2Fevil.example",
        "/%09/evil.example",
        "",
    ] {
        let path = format!("/auth/single-sign-on?organization=acme&return_to={elsewhere}");
        let refused = scene.server.send("GET", &path, &[], b"");
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (400, "invalid-parameter"),
            "{elsewhere}"
        );
    }
    let none = scene
        .server
        .send("GET", "/auth/single-sign-on?organization=other", &[], b"");
    assert_eq!(none.status, 404);
}

#[test]
fn the_settings_keep_their_order_and_their_secret_and_name_what_is_wrong() {
    let scene = Scene::start("rs256");
    let shown = scene.server.get(PATH);
    assert!(
        shown
            .text()
            .contains(r#""roles":{"zebras":"owner","admins":"administrator","staff":"auditor"}"#)
    );
    assert!(
        shown.text().contains(REDIRECT_URI) && !shown.text().contains("secret"),
        "{}",
        shown.text()
    );
    for entry in std::fs::read_dir(scene.server.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let secret = b"secret-of-rs256";
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret),
                "{}",
                path.display()
            );
        }
    }
    let mut moved = scene.settings("rs256");
    moved.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(scene.set(&moved).status, 200, "the stored secret is kept");
    moved["client_id"] = json!("es256");
    assert_eq!(
        scene.set(&moved).problem(),
        "invalid",
        "it is not sent for another client"
    );
    for issuer in [
        format!("{}/", scene.provider.issuer),
        "http://169.254.169.254".into(),
        "https://10.0.0.1".into(),
        "ftp://a.example".into(),
        "idp".into(),
    ] {
        let mut wrong = scene.settings("rs256");
        wrong["issuer"] = json!(issuer);
        let refused = scene.set(&wrong);
        assert_eq!(
            (
                refused.problem().as_str(),
                refused.json()["errors"][0]["pointer"].as_str()
            ),
            ("invalid", Some("/issuer"))
        );
    }
    let headers = [("Authorization", &*format!("Bearer {ROOT_KEY}"))];
    assert_eq!(scene.server.send("DELETE", PATH, &headers, b"").status, 204);
    assert_eq!(scene.server.get(PATH).status, 404);
    assert_eq!(scene.count("trailbook.single_sign_on.changed"), 2);
}

#[test]
fn a_provider_is_set_from_the_command_line_with_its_secret_in_a_file_and_the_order_of_its_groups() {
    let scene = Scene::start("es256");
    let own = |arguments: &[&str]| {
        let all = [&["single-sign-on"], arguments, &["--organization", "acme"]].concat();
        scene.server.command(&all)
    };
    let written = |name: &str, text: &str| {
        let path = scene.server.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    assert_eq!(own(&["remove"]).0, Some(0));
    let (code, said) = own(&["show"]);
    assert!(code == Some(1) && said.contains("404"), "{said}");

    let settings = json!({"issuer": scene.provider.issuer, "client_id": "rs256", "roles": "ROLES"});
    let settings = settings.to_string().replace(r#""ROLES""#, ROLES);
    let secret = written("secret", "secret-of-rs256\n");
    let file = written("acme.json", &settings);
    assert_eq!(own(&["set", &file]).0, Some(1), "nothing is stored for this client");
    let (code, said) = own(&["set", &file, "--client-secret-file", &secret]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(ROLES) && !said.contains("secret-of-"), "{said}");
    assert_eq!(own(&["show"]).1, said);
    assert_eq!(own(&["set", &file]).0, Some(0), "the stored one stays");

    scene.person("ann", &["admins", "zebras"]);
    let mut browser = Browser::new();
    assert_eq!(scene.sign_in(&mut browser, "ann").status, 303);
    assert_eq!(scene.session(&mut browser)["role"], "owner");

    let twice = written("twice.json", r#"{"issuer":"x","client_secret":"secret-of-x"}"#);
    let (code, said) = own(&["set", &twice, "--client-secret-file", &secret]);
    assert!(
        code == Some(1) && said.contains("elsewhere") && !said.contains("secret-of-"),
        "{said}"
    );
    let from_environment = Command::new(env!("CARGO_BIN_EXE_trailbook"))
        .env_clear()
        .env("TRAILBOOK_SERVER", scene.url(""))
        .env("TRAILBOOK_KEY", ROOT_KEY)
        .env("TRAILBOOK_CLIENT_SECRET", "secret-of-es256")
        .args(["single-sign-on", "set", "--organization", "acme"])
        .arg(written("es256.json", &settings.replace("rs256", "es256")))
        .output()
        .unwrap();
    assert!(from_environment.status.success(), "{from_environment:?}");
    assert_eq!(scene.sign_in(&mut Browser::new(), "ann").status, 303);
}
