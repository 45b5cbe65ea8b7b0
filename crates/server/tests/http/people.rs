//! People of the console over HTTP: invitations and resets by real mail, sessions, and what must not work.

use serde_json::{Value, json};

use crate::{
    postman::Postman,
    server::{Answer, ROOT_KEY, Server},
};

const USERS: &str = "/v1/organizations/acme/users";
const PASSWORD: &str = "a fine long password";
/// What our own page sends.
const OWN: (&str, &str) = ("Trailbook-Console", "1");

/// A request of a browser with our page: a cookie, and the header that only our page sends.
fn browse(server: &Server, cookie: &str, method: &str, path: &str, body: &Value) -> Answer {
    let cookie = format!("__Host-trailbook={cookie}");
    let headers = [OWN, ("Cookie", cookie.as_str()), ("Content-Type", "application/json")];
    server.send(method, path, &headers, body.to_string().as_bytes())
}

fn post(server: &Server, path: &str, body: &Value) -> Answer {
    let headers = [OWN, ("Content-Type", "application/json")];
    server.send("POST", path, &headers, body.to_string().as_bytes())
}

fn root(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {ROOT_KEY}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let bytes = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    server.send(method, path, &headers, bytes.as_bytes())
}

/// The session's secret in an answer's cookie, whose attributes are what they have to be.
fn cookie(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let set = &answer.headers["set-cookie"];
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=604800");
    let secret = pair.strip_prefix("__Host-trailbook=").unwrap();
    assert!(secret.starts_with("tb_sess_"));
    secret.to_owned()
}

fn credentials(email: &str, password: &str) -> Value {
    json!({"organization": "acme", "email": email, "password": password})
}

fn sign_in(server: &Server, email: &str) -> String {
    cookie(&post(server, "/auth/sign-in", &credentials(email, PASSWORD)))
}

/// An organization with events and a user who has a password; the user's id.
fn user(server: &Server, email: &str, role: &str) -> String {
    if server.count("acme") == 0 {
        server.fill("acme", 3);
    }
    let made = root(
        server,
        "POST",
        USERS,
        &json!({"email": email, "role": role, "password": PASSWORD}),
    );
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

/// The actions of Trailbook's own events of the organization, oldest first.
fn acts(server: &Server) -> Vec<Value> {
    let path = "/v1/organizations/acme/events?action=trailbook.user.*&order=asc&limit=1000";
    server.get(path).json()["events"].as_array().unwrap().clone()
}

fn actions(server: &Server) -> Vec<String> {
    let name = |event: &Value| {
        event["action"]
            .as_str()
            .unwrap()
            .trim_start_matches("trailbook.user.")
            .to_owned()
    };
    acts(server).iter().map(name).collect()
}

fn is_signed_in(server: &Server, secret: &str) -> bool {
    match browse(server, secret, "GET", "/auth/session", &Value::Null).status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

fn with_mail(postman: &Postman) -> Server {
    let mut environment = vec![("TRAILBOOK_ROOT_KEY", ROOT_KEY)];
    let settings = postman.settings();
    environment.extend(settings.iter().map(|(name, value)| (*name, value.as_str())));
    Server::start_with(tempfile::tempdir().unwrap(), &environment)
}

#[test]
fn somebody_is_invited_by_mail_chooses_a_password_forgets_it_and_everything_is_recorded() {
    let postman = Postman::refusing(1);
    let server = with_mail(&postman);
    server.fill("acme", 3);
    let hostile = "Ann\u{2028}<b>Bcc: all@acme.example</b>";
    let invited = root(
        &server,
        "POST",
        USERS,
        &json!({"email": "Ann@Acme.example", "name": hostile, "role": "owner"}),
    );
    assert_eq!(invited.status, 201, "{}", invited.text());
    assert!(invited.json()["link"].is_null() && invited.json()["state"] == "invited");
    // Refused for now at first: it comes all the same.
    let (to, secret) = postman.link();
    assert_eq!(to, "ann@acme.example");
    assert!(
        !server.log().contains(&secret) && !server.log().contains("ann@acme"),
        "{}",
        server.log()
    );

    assert_eq!(
        post(&server, "/auth/sign-in", &credentials("ann@acme.example", "")).status,
        401
    );
    let choose = |secret: &str, password: &str| {
        post(
            &server,
            "/auth/password",
            &json!({"token": secret, "password": password, "name": "Ann"}),
        )
    };
    assert_eq!(choose(&secret, "short").json()["errors"][0]["pointer"], "/password");
    assert_eq!(choose(&secret, PASSWORD).status, 204);
    assert_eq!(
        choose(&secret, PASSWORD).json()["errors"][0]["pointer"],
        "/token",
        "once"
    );
    let session = sign_in(&server, "ANN@acme.example");
    let who = browse(&server, &session, "GET", "/auth/session", &Value::Null).json();
    assert_eq!(
        (&who["name"], &who["rights"]),
        (&json!("Ann"), &json!(["view", "export", "administer"]))
    );
    assert_eq!(
        browse(
            &server,
            &session,
            "GET",
            "/v1/organizations/acme/events/count",
            &Value::Null
        )
        .status,
        200
    );

    let forgotten = |email: &str| {
        post(
            &server,
            "/auth/password-reset",
            &json!({"organization": "acme", "email": email}),
        )
    };
    assert_eq!(forgotten("ann@acme.example").status, 202);
    let (_, reset) = postman.link();
    assert_eq!(choose(&reset, "another fine password").status, 204);
    assert!(!is_signed_in(&server, &session), "a new password ends every session");
    let session = cookie(&post(
        &server,
        "/auth/sign-in",
        &credentials("ann@acme.example", "another fine password"),
    ));
    let change = json!({"current": "another fine password", "new": PASSWORD});
    let fresh = cookie(&browse(&server, &session, "POST", "/auth/password-change", &change));
    assert!(!is_signed_in(&server, &session) && is_signed_in(&server, &fresh));
    assert_eq!(
        browse(&server, &fresh, "POST", "/auth/sign-out", &Value::Null).status,
        204
    );
    assert!(
        !is_signed_in(&server, &fresh),
        "the server forgot it, not only the browser"
    );
    server.until("the failed sign-in is recorded", |server| {
        actions(server).iter().any(|action| action == "sign_in_failed")
    });
    let mut done = actions(&server);
    done.retain(|action| action != "sign_in_failed");
    assert_eq!(
        done,
        [
            "invited",
            "invitation_accepted",
            "signed_in",
            "password_reset_requested",
            "password_reset",
            "signed_in",
            "password_changed",
            "signed_out"
        ]
    );
    for secret in [&secret, &reset, &session, &fresh, PASSWORD] {
        let told =
            server.get("/v1/organizations/acme/events.jsonl").text() + &server.log() + &server.get("/metrics").text();
        assert!(!told.contains(secret));
    }
}

#[test]
fn a_letter_that_is_refused_for_good_is_given_up_and_its_reason_has_no_address() {
    let postman = Postman::start();
    let server = with_mail(&postman);
    server.fill("acme", 1);
    assert_eq!(
        root(
            &server,
            "POST",
            USERS,
            &json!({"email": "rejected@acme.example", "role": "owner"})
        )
        .status,
        201
    );
    server.until("it is given up", |server| {
        server.metric("trailbook_letters_failed_total") == 1
    });
    assert!(
        server.log().contains("given up") && !server.log().contains("rejected@"),
        "{}",
        server.log()
    );
    assert_eq!(postman.waiting(), 0);
}

#[test]
fn without_mail_an_operator_is_answered_the_link_and_nobody_else_is() {
    let server = Server::start();
    let admin = user(&server, "admin@acme.example", "administrator");
    let new = json!({"email": "bob@acme.example", "role": "member"});
    assert_eq!(
        root(&server, "POST", USERS, &new).json()["errors"][0]["pointer"],
        "/deliver"
    );
    let session = sign_in(&server, "admin@acme.example");
    let answered = json!({"email": "bob@acme.example", "role": "member", "deliver": "answer"});
    assert_eq!(browse(&server, &session, "POST", USERS, &answered).status, 403);
    let made = root(&server, "POST", USERS, &answered).json();
    let link = made["link"].as_str().unwrap();
    let token = link.split_once("/password#").unwrap().1;
    assert_eq!(
        post(
            &server,
            "/auth/password",
            &json!({"token": token, "password": PASSWORD})
        )
        .status,
        204
    );
    let bob = root(
        &server,
        "GET",
        &format!("{USERS}/{}", made["id"].as_str().unwrap()),
        &Value::Null,
    )
    .json();
    assert_eq!(
        (&bob["state"], &bob["email_verified"]),
        (&json!("active"), &json!(false))
    );
    let again = format!("{USERS}/{admin}/password-reset");
    assert_eq!(
        browse(&server, &session, "POST", &again, &json!({"deliver": "answer"})).status,
        403
    );
    assert_eq!(root(&server, "POST", &again, &json!({"deliver": "answer"})).status, 202);
}

#[test]
fn a_session_is_new_at_every_sign_in_and_of_no_use_once_it_is_over() {
    let server = Server::start();
    let id = user(&server, "ann@acme.example", "owner");
    user(&server, "bob@acme.example", "owner");
    let first = sign_in(&server, "ann@acme.example");
    // What a stranger planted before the sign-in is not what is signed in; what was there ends.
    let again = cookie(&browse(
        &server,
        &first,
        "POST",
        "/auth/sign-in",
        &credentials("ann@acme.example", PASSWORD),
    ));
    assert!(again != first && !is_signed_in(&server, &first) && is_signed_in(&server, &again));
    let planted = "tb_sess_chosen-by-a-stranger";
    let fresh = cookie(&browse(
        &server,
        planted,
        "POST",
        "/auth/sign-in",
        &credentials("ann@acme.example", PASSWORD),
    ));
    assert!(fresh != planted && !is_signed_in(&server, planted));

    let count = "/v1/organizations/acme/events/count";
    let bearer = format!("Bearer {fresh}");
    assert_eq!(
        server.send("GET", count, &[("Authorization", &bearer)], b"").status,
        401,
        "a session is no key"
    );
    let bare = format!("trailbook={fresh}");
    assert_eq!(
        server.send("GET", count, &[("Cookie", &bare)], b"").status,
        401,
        "only with the prefix"
    );
    let twice = format!("__Host-trailbook={fresh}; __Host-trailbook={again}");
    assert_eq!(server.send("GET", count, &[("Cookie", &twice)], b"").status, 401);
    assert_eq!(
        browse(&server, ROOT_KEY, "GET", count, &Value::Null).status,
        401,
        "a key is no session"
    );

    let bob = sign_in(&server, "bob@acme.example");
    let path = format!("{USERS}/{id}");
    assert_eq!(
        browse(&server, &bob, "PATCH", &path, &json!({"role": "member"})).status,
        200
    );
    assert!(is_signed_in(&server, &fresh), "a role change ends no session");
    assert_eq!(
        browse(&server, &fresh, "GET", count, &Value::Null).status,
        403,
        "and acts at once"
    );
    assert_eq!(
        browse(&server, &bob, "PATCH", &path, &json!({"state": "deactivated"})).status,
        200
    );
    assert_eq!(browse(&server, &fresh, "GET", count, &Value::Null).status, 401);
    assert!(!is_signed_in(&server, &fresh) && !is_signed_in(&server, &again));
    assert_eq!(
        browse(&server, &bob, "PATCH", &path, &json!({"state": "active"})).status,
        200
    );
    assert!(!is_signed_in(&server, &fresh), "what ended does not come back");
    let ann = sign_in(&server, "ann@acme.example");
    assert_eq!(browse(&server, &bob, "DELETE", &path, &Value::Null).status, 204);
    assert!(!is_signed_in(&server, &ann));
    let done = actions(&server);
    for action in ["role_changed", "deactivated", "reactivated", "deleted"] {
        assert_eq!(
            done.iter().filter(|done| *done == action).count(),
            1,
            "{action}: {done:?}"
        );
    }
    let events = acts(&server);
    let raised = events
        .iter()
        .find(|event| event["action"] == "trailbook.user.role_changed")
        .unwrap();
    assert_eq!(
        raised["changes"],
        json!([{"field": "role", "before": "owner", "after": "member"}])
    );
    assert_eq!(raised["actor"]["email"], "bob@acme.example");
}

#[test]
fn other_sites_pages_can_do_nothing_with_a_session_and_sign_nobody_in() {
    let server = Server::start();
    user(&server, "ann@acme.example", "owner");
    let id = user(&server, "bob@acme.example", "member");
    let session = sign_in(&server, "ann@acme.example");
    let cookie = format!("__Host-trailbook={session}");
    let path = format!("{USERS}/{id}");
    let body = json!({"role": "auditor"}).to_string();
    let json_type = ("Content-Type", "application/json");
    let own = [
        ("Cookie", cookie.as_str()),
        OWN,
        json_type,
        ("Origin", "https://test"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let with = |name: &str, value: Option<&'static str>| {
        let mut headers: Vec<(&str, &str)> = own.into_iter().filter(|(own, _)| *own != name).collect();
        headers.extend(value.map(|value| (OWN.0, value)).filter(|_| name == OWN.0));
        headers.extend(value.filter(|_| name == "Origin").map(|value| ("Origin", value)));
        headers.extend(
            value
                .filter(|_| name == "Sec-Fetch-Site")
                .map(|value| ("Sec-Fetch-Site", value)),
        );
        headers.extend(
            value
                .filter(|_| name == "Content-Type")
                .map(|value| ("Content-Type", value)),
        );
        headers
    };
    let foreign = [
        with(OWN.0, None),
        with(OWN.0, Some("0")),
        with("Origin", Some("https://evil.example")),
        with("Origin", Some("null")),
        with("Sec-Fetch-Site", Some("cross-site")),
        with("Sec-Fetch-Site", Some("same-site")),
    ];
    for headers in &foreign {
        assert_eq!(
            server.send("PATCH", &path, headers, body.as_bytes()).status,
            403,
            "{headers:?}"
        );
        let sign_in = credentials("ann@acme.example", PASSWORD).to_string();
        let answer = server.send("POST", "/auth/sign-in", headers, sign_in.as_bytes());
        assert!(
            answer.status == 403 && !answer.headers.contains_key("set-cookie"),
            "{headers:?}"
        );
        assert_eq!(
            server.send("POST", "/auth/sign-out", headers, b"").status,
            403,
            "{headers:?}"
        );
    }
    // What a form can send, with the rest right.
    for form in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let answer = server.send("PATCH", &path, &with("Content-Type", Some(form)), body.as_bytes());
        assert_eq!(answer.status, 415, "{form}");
    }
    let bob = root(&server, "GET", &path, &Value::Null).json();
    assert_eq!(bob["role"], "member");
    assert!(is_signed_in(&server, &session));
    assert_eq!(
        server.send("PATCH", &path, &own, body.as_bytes()).status,
        200,
        "our own page can"
    );
    // Whatever a link or an image can reach changes nothing.
    for get in [
        "/auth/sign-in",
        "/auth/sign-out",
        "/auth/password",
        "/auth/password-reset",
        "/auth/password-change",
    ] {
        let answer = server.send("GET", get, &[("Cookie", &cookie)], b"");
        assert_eq!(answer.status, 405, "{get}");
    }
    assert!(is_signed_in(&server, &session));
}

/// Status, body and headers, but for what differs between any two requests.
fn told(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let mut headers: Vec<_> = answer.headers.clone().into_iter().collect();
    headers.retain(|(name, _)| name != "x-request-id" && name != "date");
    headers.sort();
    let id = answer.headers.get("x-request-id").cloned().unwrap_or_default();
    (answer.status, answer.text().replace(&id, ""), headers)
}

#[test]
fn nobody_learns_whether_an_account_or_an_organization_exists() {
    let server = Server::start();
    user(&server, "ann@acme.example", "owner");
    let gone = user(&server, "gone@acme.example", "member");
    assert_eq!(
        root(
            &server,
            "PATCH",
            &format!("{USERS}/{gone}"),
            &json!({"state": "deactivated"})
        )
        .status,
        200
    );
    let accounts = [
        ("acme", "ann@acme.example", "a wrong password"),
        ("acme", "nobody@acme.example", "a wrong password"),
        ("acme", "gone@acme.example", PASSWORD),
        ("nowhere", "ann@acme.example", PASSWORD),
    ];
    let hashes = || server.metric("trailbook_password_hashes_total");
    let (mut refused, mut reset) = (Vec::new(), Vec::new());
    for (organization, email, password) in accounts {
        let before = hashes();
        let body = json!({"organization": organization, "email": email, "password": password});
        refused.push((told(&post(&server, "/auth/sign-in", &body)), hashes() - before));
        let body = json!({"organization": organization, "email": email});
        reset.push(told(&post(&server, "/auth/password-reset", &body)));
    }
    assert_eq!((refused[0].0.0, refused[0].1), (401, 1), "the same hashing work");
    assert!(refused.iter().all(|one| *one == refused[0]), "{refused:?}");
    assert_eq!(reset[0].0, 202);
    assert!(reset.iter().all(|one| *one == reset[0]), "{reset:?}");
    server.until("failures of known accounts are recorded", |server| {
        actions(server)
            .iter()
            .filter(|action| *action == "sign_in_failed")
            .count()
            == 2
    });
    let events = acts(&server);
    let failed = events
        .iter()
        .find(|event| event["action"] == "trailbook.user.sign_in_failed")
        .unwrap();
    assert_eq!(
        (&failed["actor"]["type"], &failed["result"]),
        (&json!("anonymous"), &json!("failure"))
    );
    assert_eq!(failed["targets"][0]["email"], "ann@acme.example");
    assert_eq!(
        server.get("/v1/organizations/nowhere/events").status,
        404,
        "nothing is stored for the unknown"
    );
    assert!(
        !server
            .get("/v1/organizations/acme/events.jsonl")
            .text()
            .contains("nobody@acme.example")
    );
}

#[test]
fn guessing_a_password_is_slowed_down_and_does_no_work() {
    let server = Server::start();
    user(&server, "ann@acme.example", "owner");
    let wrong = |email: &str| post(&server, "/auth/sign-in", &credentials(email, "a wrong password"));
    for email in ["ann@acme.example", "nobody@acme.example"] {
        let answers: Vec<Answer> = (0..6).map(|_| wrong(email)).collect();
        assert!(answers[..5].iter().all(|answer| answer.status == 401));
        assert_eq!(answers[5].problem(), "too-many-requests", "{email}");
        assert!(answers[5].headers["retry-after"].parse::<u32>().unwrap() >= 1);
    }
    // And by address, whatever the accounts.
    let more: Vec<u16> = (0..11)
        .map(|number| wrong(&format!("guess-{number}@acme.example")).status)
        .collect();
    assert_eq!(
        (more.iter().filter(|status| **status == 401).count(), more[10]),
        (10, 429),
        "{more:?}"
    );
    let links: Vec<u16> = (0..21)
        .map(|_| {
            post(
                &server,
                "/auth/password",
                &json!({"token": "tb_link_guessed", "password": PASSWORD}),
            )
            .status
        })
        .collect();
    assert_eq!((links[0], links[20]), (422, 429));
    assert!(server.metric("trailbook_password_hashes_total") <= 22);
}

#[test]
fn permissions_are_recorded_one_by_one_and_nobody_raises_a_role_beyond_their_own() {
    let server = Server::start();
    let owner = user(&server, "owner@acme.example", "owner");
    let member = user(&server, "member@acme.example", "member");
    let session = sign_in(&server, "owner@acme.example");
    let at = |id: &str| format!("{USERS}/{id}");
    // A key that may administer but not look.
    let blind = json!({"name": "people", "scopes": ["admin"], "organization": "acme"});
    let blind = root(&server, "POST", "/v1/keys", &blind).json()["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let blind = |method: &str, path: &str, body: &Value| {
        let authorization = format!("Bearer {blind}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        server.send(method, path, &headers, body.to_string().as_bytes()).status
    };
    assert_eq!(blind("GET", USERS, &Value::Null), 200);
    assert_eq!(
        blind("PATCH", &at(&member), &json!({"role": "auditor"})),
        403,
        "nobody grants more than they hold"
    );
    assert_eq!(
        blind("PATCH", &at(&owner), &json!({"email": "mine@acme.example"})),
        403,
        "or manages who holds more"
    );
    assert_eq!(blind("DELETE", &at(&owner), &Value::Null), 403);
    assert_eq!(blind("PATCH", &at(&member), &json!({"name": "M"})), 200);
    for body in [json!({"role": "member"}), json!({"state": "deactivated"})] {
        assert_eq!(
            browse(&server, &session, "PATCH", &at(&owner), &body).status,
            403,
            "one's own"
        );
    }

    let permissions = format!("{}/permissions", at(&member));
    let set = |words: &[&str]| browse(&server, &session, "PUT", &permissions, &json!({ "permissions": words }));
    assert_eq!(set(&["c.d", "a.b", "c.d"]).json()["permissions"], json!(["a.b", "c.d"]));
    assert_eq!(set(&["a.b", "e.f"]).status, 200);
    assert_eq!(set(&["e.f", "a.b"]).status, 200);
    let events = acts(&server);
    let of = |action: &str| -> Vec<(Value, Value, Value)> {
        let action = format!("trailbook.user.permissions_{action}");
        let of_action = events.iter().filter(|event| event["action"] == action);
        let parts = |event: &Value| {
            let change = &event["changes"][0];
            (
                event["metadata"]["permissions"].clone(),
                change["before"].clone(),
                change["after"].clone(),
            )
        };
        of_action.map(parts).collect()
    };
    let (first, second) = (json!(["a.b", "c.d"]), json!(["a.b", "e.f"]));
    let added = [
        (first.clone(), json!([]), first.clone()),
        (json!(["e.f"]), first.clone(), second.clone()),
    ];
    assert_eq!(of("added"), added);
    assert_eq!(of("removed"), [(json!(["c.d"]), first, second)]);
    for organization in ["other", "_system", "nowhere"] {
        let path = format!("/v1/organizations/{organization}/users");
        assert_eq!(
            browse(&server, &session, "GET", &path, &Value::Null).status,
            404,
            "{organization}"
        );
    }
    let new = json!({"email": "a@b.example", "role": "owner", "password": PASSWORD});
    assert_eq!(
        root(&server, "POST", "/v1/organizations/nowhere/users", &new).status,
        404
    );
}

#[test]
fn people_are_managed_from_the_command_line() {
    let server = Server::start();
    server.fill("acme", 1);
    let run = |arguments: &[&str]| {
        let mut all = vec!["user"];
        all.extend_from_slice(arguments);
        all.extend_from_slice(&["--organization", "acme"]);
        server.command(&all)
    };
    let (code, said) = run(&["invite", "ann@acme.example", "--role", "owner", "--answer-link"]);
    assert_eq!(code, Some(0), "{said}");
    let token = said.trim().rsplit_once("/password#").unwrap().1;
    assert_eq!(
        post(
            &server,
            "/auth/password",
            &json!({"token": token, "password": PASSWORD})
        )
        .status,
        204
    );
    let (_, listed) = run(&["list"]);
    assert!(
        listed.contains("ann@acme.example") && listed.contains("owner") && listed.contains("active"),
        "{listed}"
    );
    for arguments in [
        &["change", "ann@acme.example", "--name", "Ann", "--role", "auditor"][..],
        &["permissions", "ann@acme.example", "a.b", "c.d"],
        &["deactivate", "ann@acme.example"],
    ] {
        let (code, said) = run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
    }
    let (_, shown) = run(&["show", "ann@acme.example"]);
    for part in ["Ann", "auditor", "a.b, c.d", "deactivated"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(run(&["activate", "ann@acme.example"]).0, Some(0));
    let (code, said) = run(&["reset", "ann@acme.example", "--answer-link"]);
    assert!(code == Some(0) && said.contains("/password#tb_link_"), "{said}");
    assert_eq!(run(&["remove", "ann@acme.example"]).0, Some(0));
    let (code, said) = run(&["show", "ann@acme.example"]);
    assert!(code == Some(1) && said.contains("no user"), "{said}");
}
