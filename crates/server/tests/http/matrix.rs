//! The isolation matrix: every route of the router, every kind of caller, and whose organization it is.
//!
//! Routes come from the description that the server makes of its own router: one without an expectation here fails the test. What a caller may
//! do is written down once more, in a few lines, and held against the server in every cell.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::server::{ROOT_KEY, Server, event};

/// Whom a route is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum For {
    /// Everybody, without a credential.
    Everybody,
    /// Who may look at the organization.
    Viewers,
    /// Who may look at all of the organization.
    ViewersOfAll,
    /// Who may take files.
    Exporters,
    /// Who may take files of all of the organization.
    ExportersOfAll,
    /// Who may administer the organization.
    Administrators,
    /// Who may set up streams and alerts of the organization.
    Deliverers,
    /// Who may set up streams of the whole project.
    ProjectDeliverers,
    /// Root.
    Root,
    /// Who may send events.
    Writers,
    /// Who may administer the project or an organization of it.
    Managers,
    /// Operators.
    Operators,
    /// Who may administer the project.
    ProjectAdministrators,
    /// Who may administer the organization, or make it when there is none.
    SettersUp,
    /// Whoever has our own page.
    Page,
    /// Who is signed in.
    Person,
}

/// A route: method, path, whom it is for, the body that is sent, and the status for those who may. Bodies break a rule where the route would
/// change something, so that every cell finds the same server.
const ROUTES: &[(&str, &str, For, &str, u16)] = &[
    ("POST", "/v1/events", For::Writers, "{}", 422),
    ("POST", "/v1/events/validate", For::Writers, "{}", 200),
    ("GET", "/v1/organizations/{organization}/events", For::Viewers, "", 200),
    (
        "GET",
        "/v1/organizations/{organization}/events/count",
        For::Viewers,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events/facets?field=area",
        For::Viewers,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events/histogram",
        For::Viewers,
        "",
        200,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/events/aggregate",
        For::Viewers,
        "{\"metrics\":[]}",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events/live?q=(",
        For::Viewers,
        "",
        400,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events/{id}",
        For::Viewers,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events/{id}/proof",
        For::Viewers,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/traces/{trace_id}",
        For::Viewers,
        "",
        200,
    ),
    ("GET", "/v1/organizations/{organization}/policy", For::Viewers, "", 200),
    (
        "GET",
        "/v1/organizations/{organization}/checkpoint",
        For::Viewers,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/checkpoint-key",
        For::Viewers,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/tlog/checkpoint",
        For::Viewers,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/consistency?from=1&to=2",
        For::ViewersOfAll,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/tlog/tile/{tile}",
        For::ViewersOfAll,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events.csv",
        For::Exporters,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events.jsonl",
        For::Exporters,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events.evidence",
        For::ExportersOfAll,
        "",
        200,
    ),
    ("GET", "/v1/organizations/{organization}", For::Administrators, "", 200),
    ("PUT", "/v1/organizations/{organization}", For::SettersUp, "[]", 422),
    (
        "POST",
        "/v1/organizations/{organization}/events/{id}/redaction",
        For::Root,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/viewer-tokens",
        For::Administrators,
        "",
        200,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/viewer-tokens",
        For::Administrators,
        "[]",
        422,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/viewer-tokens",
        For::Administrators,
        "",
        400,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/viewer-tokens/{id}",
        For::Administrators,
        "",
        404,
    ),
    ("GET", "/v1/projects", For::Operators, "", 200),
    ("GET", "/v1/projects/{project}", For::ProjectAdministrators, "", 200),
    ("PUT", "/v1/projects/{project}", For::ProjectAdministrators, "[]", 422),
    ("DELETE", "/v1/projects/{project}", For::Operators, "", 409),
    (
        "GET",
        "/v1/projects/{project}/catalog",
        For::ProjectAdministrators,
        "",
        404,
    ),
    (
        "PUT",
        "/v1/projects/{project}/catalog",
        For::ProjectAdministrators,
        "[]",
        422,
    ),
    ("GET", "/v1/organizations", For::Managers, "", 200),
    ("GET", "/v1/keys", For::Managers, "", 200),
    ("POST", "/v1/keys", For::Managers, "[]", 422),
    ("DELETE", "/v1/keys/{id}", For::Managers, "", 404),
    ("GET", "/v1/stats", For::Operators, "", 200),
    ("PUT", "/v1/backups/{backup}?x=1", For::Operators, "", 400),
    ("DELETE", "/v1/backups/{backup}", For::Operators, "", 204),
    (
        "GET",
        "/v1/organizations/{organization}/users",
        For::Administrators,
        "",
        200,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/users",
        For::Administrators,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/users/{id}",
        For::Administrators,
        "",
        404,
    ),
    (
        "PATCH",
        "/v1/organizations/{organization}/users/{id}",
        For::Administrators,
        "[]",
        422,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/users/{id}",
        For::Administrators,
        "",
        404,
    ),
    (
        "PUT",
        "/v1/organizations/{organization}/users/{id}/permissions",
        For::Administrators,
        "[]",
        422,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/users/{id}/password-reset",
        For::Administrators,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/single-sign-on",
        For::Administrators,
        "",
        404,
    ),
    (
        "PUT",
        "/v1/organizations/{organization}/single-sign-on",
        For::Administrators,
        "[]",
        422,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/single-sign-on",
        For::Administrators,
        "",
        404,
    ),
    ("GET", "/v1/organizations/{organization}/views", For::Viewers, "", 200),
    (
        "POST",
        "/v1/organizations/{organization}/views",
        For::Viewers,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/views/{id}",
        For::Viewers,
        "",
        404,
    ),
    (
        "PUT",
        "/v1/organizations/{organization}/views/{id}",
        For::Viewers,
        "[]",
        422,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/views/{id}",
        For::Viewers,
        "",
        404,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/events.parquet",
        For::Exporters,
        "",
        200,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/exports",
        For::Exporters,
        "",
        200,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/exports",
        For::Exporters,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/exports/{id}",
        For::Exporters,
        "",
        404,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/exports/{id}",
        For::Exporters,
        "",
        404,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/exports/{id}/download",
        For::Exporters,
        "",
        404,
    ),
    ("GET", "/downloads/{token}", For::Everybody, "", 404),
    (
        "GET",
        "/v1/organizations/{organization}/streams",
        For::Deliverers,
        "",
        200,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/streams",
        For::Deliverers,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/streams/{id}",
        For::Deliverers,
        "",
        404,
    ),
    (
        "PUT",
        "/v1/organizations/{organization}/streams/{id}",
        For::Deliverers,
        "[]",
        422,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/streams/{id}",
        For::Deliverers,
        "",
        404,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/streams/{id}/test",
        For::Deliverers,
        "",
        404,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/streams/{id}/pause",
        For::Deliverers,
        "",
        404,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/streams/{id}/resume",
        For::Deliverers,
        "",
        404,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/streams/{id}/replay",
        For::Deliverers,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/streams/{id}/parked",
        For::Deliverers,
        "",
        404,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/streams/{id}/parked",
        For::Deliverers,
        "",
        404,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/streams/{id}/parked/retry",
        For::Deliverers,
        "",
        404,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/alerts",
        For::Deliverers,
        "",
        200,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/alerts",
        For::Deliverers,
        "[]",
        422,
    ),
    (
        "GET",
        "/v1/organizations/{organization}/alerts/{id}",
        For::Deliverers,
        "",
        404,
    ),
    (
        "PUT",
        "/v1/organizations/{organization}/alerts/{id}",
        For::Deliverers,
        "[]",
        422,
    ),
    (
        "DELETE",
        "/v1/organizations/{organization}/alerts/{id}",
        For::Deliverers,
        "",
        404,
    ),
    (
        "POST",
        "/v1/organizations/{organization}/alerts/{id}/test",
        For::Deliverers,
        "",
        404,
    ),
    ("GET", "/v1/streams", For::ProjectDeliverers, "", 200),
    ("POST", "/v1/streams", For::ProjectDeliverers, "[]", 422),
    ("GET", "/v1/streams/{id}", For::ProjectDeliverers, "", 404),
    ("PUT", "/v1/streams/{id}", For::ProjectDeliverers, "[]", 422),
    ("DELETE", "/v1/streams/{id}", For::ProjectDeliverers, "", 404),
    ("POST", "/v1/streams/{id}/test", For::ProjectDeliverers, "", 404),
    ("POST", "/v1/streams/{id}/pause", For::ProjectDeliverers, "", 404),
    ("POST", "/v1/streams/{id}/resume", For::ProjectDeliverers, "", 404),
    ("POST", "/v1/streams/{id}/replay", For::ProjectDeliverers, "[]", 422),
    ("GET", "/v1/streams/{id}/parked", For::ProjectDeliverers, "", 404),
    ("DELETE", "/v1/streams/{id}/parked", For::ProjectDeliverers, "", 404),
    ("POST", "/v1/streams/{id}/parked/retry", For::ProjectDeliverers, "", 404),
    ("GET", "/auth/single-sign-on", For::Everybody, "", 400),
    ("GET", "/auth/callback", For::Everybody, "", 404),
    ("POST", "/auth/sign-in", For::Page, "[]", 422),
    ("POST", "/auth/password-reset", For::Page, "[]", 422),
    ("POST", "/auth/password", For::Page, "[]", 422),
    ("GET", "/auth/session", For::Person, "", 200),
    ("POST", "/auth/password-change", For::Person, "[]", 422),
    ("GET", "/embed/{organization}", For::Everybody, "", 200),
    ("GET", "/healthz", For::Everybody, "", 200),
    ("GET", "/readyz", For::Everybody, "", 200),
    ("GET", "/version", For::Everybody, "", 200),
    ("GET", "/metrics", For::Everybody, "", 200),
    ("GET", "/openapi.json", For::Everybody, "", 200),
    ("GET", "/docs/api", For::Everybody, "", 200),
    ("GET", "/docs/api.css", For::Everybody, "", 200),
    // The last one: nobody is signed in afterwards.
    ("POST", "/auth/sign-out", For::Page, "", 204),
];

/// Whose organization a request names. The caller, where it belongs to one, belongs to `acme` of the project `default`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    Own,
    Another,
    Nobodys,
    OfAnotherProject,
}

const ALL: [Whose; 4] = [Whose::Own, Whose::Another, Whose::Nobodys, Whose::OfAnotherProject];

/// How far a caller's credential reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reach {
    /// Nowhere: there is none, or a wrong one.
    Nowhere,
    /// A key for one organization.
    BoundKey,
    /// A key for a project.
    Key,
    /// A viewer token.
    Token,
    /// Somebody of the console of an organization.
    Person,
    /// All projects.
    Deployment,
}

struct Caller {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    reach: Reach,
    view: bool,
    export: bool,
    administer: bool,
    deliver: bool,
    write: bool,
    filtered: bool,
    root: bool,
}

impl Caller {
    fn bearer(name: &'static str, credential: &str, reach: Reach, rights: &str) -> Self {
        let has = |right| rights.contains(right);
        Self {
            name,
            headers: vec![("Authorization", format!("Bearer {credential}"))],
            reach,
            view: has("view"),
            export: has("export"),
            administer: has("administer"),
            deliver: has("deliver"),
            write: has("write"),
            filtered: has("filtered"),
            root: has("root"),
        }
    }

    /// Somebody who is signed in, with our own page.
    fn person(
        server: &Server,
        name: &'static str,
        (organization, role): (&str, &str),
        reach: Reach,
        rights: &str,
    ) -> Self {
        let (email, password) = (format!("{role}@{organization}.example"), "a fine long password");
        let path = format!("/v1/organizations/{organization}/users");
        made(
            server,
            &path,
            &json!({"email": email, "role": role, "password": password}),
            "id",
        );
        let request = json!({"organization": organization, "email": email, "password": password}).to_string();
        let headers = [("Trailbook-Console", "1"), ("Content-Type", "application/json")];
        let answer = server.send("POST", "/auth/sign-in", &headers, request.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.headers["set-cookie"].split(';').next().unwrap().to_owned();
        let mut person = Self::bearer(name, "", reach, rights);
        person.headers = vec![("Cookie", cookie), ("Trailbook-Console", "1".into())];
        person
    }

    /// The status of a request, where `allowed` is that for whoever may.
    fn expected(&self, route: For, whose: Whose, allowed: u16) -> u16 {
        if route == For::Everybody {
            return allowed;
        }
        let has_page = self.headers.iter().any(|(name, _)| *name == "Trailbook-Console");
        match route {
            For::Page if has_page => return allowed,
            For::Person if !has_page => return 401,
            For::Page if !has_page => return 403,
            _ if self.reach == Reach::Nowhere => return 401,
            _ if whose == Whose::OfAnotherProject && self.reach == Reach::Person => return 404,
            For::Person => return allowed,
            _ => {}
        }
        if whose == Whose::OfAnotherProject && self.reach != Reach::Deployment {
            return 403;
        }
        let of_organization = !matches!(
            route,
            For::Writers | For::Managers | For::Operators | For::ProjectAdministrators | For::ProjectDeliverers
        );
        let of_project = matches!(self.reach, Reach::Key | Reach::Deployment);
        match (self.reach, whose) {
            (Reach::BoundKey, Whose::Another | Whose::Nobodys) if of_organization => return 403,
            (Reach::Token | Reach::Person, Whose::Another) if of_organization => return 404,
            (_, Whose::Nobodys) if route == For::SettersUp && of_project && self.administer => return allowed,
            (_, Whose::Nobodys) if of_organization => return 404,
            _ => {}
        }
        let may = match route {
            For::Everybody | For::Page | For::Person => true,
            For::Viewers => self.view,
            For::ViewersOfAll => self.view && !self.filtered,
            For::Exporters => self.export,
            For::ExportersOfAll => self.export && !self.filtered,
            For::Administrators | For::Managers | For::SettersUp => self.administer,
            For::ProjectAdministrators => of_project && self.administer,
            For::Deliverers => self.deliver && !self.filtered,
            For::ProjectDeliverers => of_project && self.deliver,
            For::Root => self.root,
            For::Writers => self.write,
            For::Operators => self.reach == Reach::Deployment && self.administer,
        };
        if may { allowed } else { 403 }
    }
}

fn made(server: &Server, path: &str, body: &Value, secret: &str) -> String {
    let answer = server.post(path, &[], body.to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()[secret].as_str().unwrap().to_owned()
}

fn callers(server: &Server) -> Vec<Caller> {
    let key = |scopes: &[&str], organization: Option<&str>| {
        let request = json!({"name": "k", "scopes": scopes, "organization": organization});
        made(server, "/v1/keys", &request, "key")
    };
    let token = |role: &str, filter: Option<&str>| {
        let actor = json!({"id": "u_1", "role": role});
        let request = json!({"actor": actor, "filter": filter, "may_export": true});
        made(server, "/v1/organizations/acme/viewer-tokens", &request, "token")
    };
    let every = ["events:write", "events:read", "exports", "streams", "admin"];
    let person = |name, who, reach, rights| Caller::person(server, name, who, reach, rights);
    let mut nobody = Caller::bearer("nobody", "", Reach::Nowhere, "");
    nobody.headers.clear();
    vec![
        nobody,
        Caller::bearer("a wrong key", "tb_key_wrong", Reach::Nowhere, ""),
        Caller::bearer(
            "root",
            ROOT_KEY,
            Reach::Deployment,
            "root view export administer deliver write",
        ),
        Caller::bearer(
            "a key with every scope",
            &key(&every, None),
            Reach::Key,
            "view export administer deliver write",
        ),
        Caller::bearer("a reading key", &key(&["events:read"], None), Reach::Key, "view"),
        Caller::bearer("a writing key", &key(&["events:write"], None), Reach::Key, "write"),
        Caller::bearer("an exporting key", &key(&["exports"], None), Reach::Key, "export"),
        Caller::bearer("a streaming key", &key(&["streams"], None), Reach::Key, ""),
        Caller::bearer(
            "a reading and streaming key",
            &key(&["events:read", "streams"], None),
            Reach::Key,
            "view deliver",
        ),
        Caller::bearer("an administering key", &key(&["admin"], None), Reach::Key, "administer"),
        Caller::bearer(
            "a bound key",
            &key(&every, Some("acme")),
            Reach::BoundKey,
            "view export administer deliver write",
        ),
        Caller::bearer(
            "a bound reading key",
            &key(&["events:read"], Some("acme")),
            Reach::BoundKey,
            "view",
        ),
        Caller::bearer("an owner's token", &token("owner", None), Reach::Token, "view export"),
        Caller::bearer(
            "a filtered token",
            &token("owner", Some("security:true")),
            Reach::Token,
            "view export filtered",
        ),
        Caller::bearer("a member's token", &token("member", None), Reach::Token, ""),
        person(
            "an owner",
            ("acme", "owner"),
            Reach::Person,
            "view export administer deliver",
        ),
        person("an auditor", ("acme", "auditor"), Reach::Person, "view export"),
        person("a member", ("acme", "member"), Reach::Person, ""),
        person(
            "an operator",
            ("_system", "owner"),
            Reach::Deployment,
            "view export administer deliver",
        ),
        person(
            "an auditing operator",
            ("_system", "auditor"),
            Reach::Deployment,
            "view export",
        ),
    ]
}

/// An event of an organization that every caller's filter lets through, and its trace.
fn stored(server: &Server, project: &str, organization: &str) -> (String, String) {
    let events: Vec<Value> = [0, 5].map(|number| event(organization, number)).into();
    let authorization = format!("Bearer {ROOT_KEY}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Trailbook-Project", project),
    ];
    let answer = server.send(
        "POST",
        "/v1/events",
        &headers,
        json!({ "events": events }).to_string().as_bytes(),
    );
    assert_eq!(answer.status, 201, "{}", answer.text());
    (
        answer.json()["events"][0]["id"].as_str().unwrap().to_owned(),
        "trace-0".to_owned(),
    )
}

/// Fills in a path; keys and tokens of nobody.
fn filled(path: &str, (project, organization): (&str, &str), event: &str, trace: &str) -> String {
    let of_event = path.contains("/events/{id}");
    path.replace("{organization}", organization)
        .replace("{id}", if of_event { event } else { "nobody" })
        .replace("{trace_id}", trace)
        .replace("{token}", "nobody")
        .replace("{tile}", "0/000.p/2")
        .replace("{project}", project)
        .replace("{backup}", "nightly")
}

#[test]
fn every_route_answers_every_kind_of_caller_as_it_should() {
    let directory = tempfile::tempdir().unwrap();
    let environment = [
        ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
        ("TRAILBOOK_CALLER_REQUESTS_PER_SECOND", "0"),
    ];
    let server = Server::start_with(directory, &environment);
    let project = server.put("/v1/projects/other", &json!({"organizations": "auto"}));
    assert!(project.status == 200 || project.status == 201, "{}", project.text());
    let (own, trace) = stored(&server, "default", "acme");
    let (another, _) = stored(&server, "default", "beta");
    let (elsewhere, _) = stored(&server, "other", "acme");
    let callers = callers(&server);
    let mut wrong = Vec::new();
    for (method, path, route, body, allowed) in ROUTES {
        for caller in &callers {
            for whose in ALL {
                let (organization, id) = match whose {
                    Whose::Own => ("acme", &own),
                    Whose::Another => ("beta", &another),
                    Whose::Nobodys => ("nobody", &own),
                    Whose::OfAnotherProject => ("acme", &elsewhere),
                };
                let mut headers: Vec<(&str, &str)> = caller
                    .headers
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                if whose == Whose::OfAnotherProject {
                    headers.push(("Trailbook-Project", "other"));
                }
                headers.push(("Content-Type", "application/json"));
                let project = if whose == Whose::OfAnotherProject {
                    "other"
                } else {
                    "default"
                };
                let path = filled(path, (project, organization), id, &trace);
                let status = server.send(method, &path, &headers, body.as_bytes()).status;
                let expected = caller.expected(*route, whose, *allowed);
                if status != expected {
                    wrong.push(format!(
                        "{} · {method} {path} · {whose:?}: {status} instead of {expected}",
                        caller.name
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_route_of_the_router_is_in_the_matrix() {
    let server = Server::start();
    let document = server.get("/openapi.json").json();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
            methods.map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let expected: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|(method, path, ..)| ((*method).to_owned(), path.split('?').next().unwrap().to_owned()))
        .collect();
    let missing: Vec<_> = described.difference(&expected).collect();
    assert!(missing.is_empty(), "routes without expectations: {missing:?}");
    let gone: Vec<_> = expected.difference(&described).collect();
    assert!(gone.is_empty(), "expectations without routes: {gone:?}");
}

#[test]
fn what_is_anothers_cannot_be_told_from_what_is_not_there() {
    let server = Server::start();
    stored(&server, "default", "acme");
    let (id, _) = stored(&server, "default", "beta");
    let request = json!({"actor": {"id": "u_1", "role": "owner"}, "may_export": true});
    let token = made(&server, "/v1/organizations/acme/viewer-tokens", &request, "token");
    let authorization = format!("Bearer {token}");
    let answer = |path: &str| {
        let answer = server.send("GET", path, &[("Authorization", &authorization)], b"");
        let mut document = answer.json();
        document["request_id"] = Value::Null;
        (answer.status, document)
    };
    let random = "019aa1b2-7c1e-7d02-9f4b-2a7c1f00b6de";
    assert_eq!(
        answer(&format!("/v1/organizations/acme/events/{id}")),
        answer(&format!("/v1/organizations/acme/events/{random}")),
    );
    for path in [
        "",
        "/events",
        "/events.csv",
        "/policy",
        "/viewer-tokens",
        &format!("/events/{id}"),
    ] {
        let of = |organization: &str| answer(&format!("/v1/organizations/{organization}{path}"));
        assert_eq!(of("beta"), of("nobody"), "{path}");
    }
}

#[test]
fn nobody_reaches_anothers_people_tokens_and_keys_below_their_own_path() {
    let server = Server::start();
    stored(&server, "default", "acme");
    stored(&server, "default", "beta");
    let user = json!({"email": "ben@beta.example", "role": "owner", "password": "a fine long password"});
    let user = made(&server, "/v1/organizations/beta/users", &user, "id");
    let token = json!({"actor": {"id": "u_1", "role": "owner"}});
    let token = made(&server, "/v1/organizations/beta/viewer-tokens", &token, "id");
    let key = |organization: &str, member: &str| {
        let request = json!({"name": "k", "scopes": ["admin"], "organization": organization});
        made(&server, "/v1/keys", &request, member)
    };
    let anothers_key = key("beta", "id");
    let rights = "view export administer";
    let callers = [
        Caller::bearer(
            "root",
            ROOT_KEY,
            Reach::Deployment,
            "root view export administer deliver write",
        ),
        Caller::bearer("a bound key", &key("acme", "key"), Reach::BoundKey, rights),
        Caller::person(&server, "an owner", ("acme", "owner"), Reach::Person, rights),
    ];
    let of_user = format!("/v1/organizations/acme/users/{user}");
    let requests = [
        ("GET", of_user.clone(), ""),
        ("PATCH", of_user.clone(), "{\"role\":\"member\"}"),
        ("PUT", format!("{of_user}/permissions"), "{\"permissions\":[\"x\"]}"),
        ("POST", format!("{of_user}/password-reset"), "{\"deliver\":\"answer\"}"),
        ("DELETE", of_user, ""),
        ("DELETE", format!("/v1/organizations/acme/viewer-tokens/{token}"), ""),
        ("DELETE", format!("/v1/keys/{anothers_key}"), ""),
    ];
    for caller in &callers {
        let mut headers: Vec<(&str, &str)> = caller
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        headers.push(("Content-Type", "application/json"));
        for (method, path, body) in &requests {
            let expected = match *method {
                // Links in the open are for operators, whoever it is.
                "POST" if !caller.root => 403,
                // Root works for the whole project.
                "DELETE" if caller.root && path.starts_with("/v1/keys") => continue,
                _ => 404,
            };
            let status = server.send(method, path, &headers, body.as_bytes()).status;
            assert_eq!(status, expected, "{} · {method} {path}", caller.name);
        }
    }
    let left = server.get(&format!("/v1/organizations/beta/users/{user}")).json();
    assert_eq!((&left["role"], &left["permissions"]), (&json!("owner"), &json!([])));
    let listed = |path: &str, members: &str, id: &str| {
        let listed = server.get(path).json();
        listed[members]
            .as_array()
            .unwrap()
            .iter()
            .any(|member| member["id"] == id)
    };
    assert!(listed("/v1/organizations/beta/viewer-tokens", "viewer_tokens", &token));
    assert!(listed("/v1/keys", "keys", &anothers_key));
}
