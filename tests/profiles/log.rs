//! A running log with a product's profile: the real server, the real command that applies the profile, the profile's examples.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use trailbook_event::Timestamp;

use crate::server::{Answer, ROOT_KEY, Server};

/// The organization that has the examples.
pub(crate) const ORGANIZATION: &str = "fashion";

/// A server with one profile applied to its default project, and the profile's examples in the organization `fashion`.
pub(crate) struct Log {
    pub(crate) server: Server,
}

impl Log {
    /// Starts a server with the profile of this name. Addresses of documentation have countries: 192.0.2.0/24 is FR, 198.51.100.0/24 US,
    /// 203.0.113.0/24 GB, 2001:db8::/32 DE.
    pub(crate) fn of(profile: &str) -> Self {
        let log = Self::empty(profile);
        log.command(&[
            "profile",
            "apply",
            profile,
            "--organization",
            ORGANIZATION,
            "--examples",
        ]);
        log
    }

    /// As [`Log::of`], without the examples.
    pub(crate) fn empty(profile: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let countries = directory.path().join("countries.mmdb");
        fs::write(&countries, trailbook_testkit::documentation_countries()).unwrap();
        let environment = [
            ("TRAILBOOK_ROOT_KEY", ROOT_KEY),
            ("TRAILBOOK_COUNTRY_DATABASE", countries.to_str().unwrap()),
        ];
        let log = Self {
            server: Server::start_with(directory, &environment),
        };
        log.command(&["profile", "apply", profile]);
        log
    }

    /// Runs the command against the server; it must succeed. What it says.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        let (code, said) = self.server.command(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    }

    /// A GET below the organization, as root.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.server.get(&format!("/v1/organizations/{ORGANIZATION}/{path}"))
    }

    /// As [`Log::get`]; it must be answered with JSON.
    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The product's own events that a query string finds, newest first; Trailbook's are left out.
    pub(crate) fn events(&self, query: &str) -> Vec<Value> {
        let page = self.json(&format!("events?limit=1000&-action=trailbook.*&{query}"));
        page["events"].as_array().unwrap().clone()
    }

    /// The only event that a query string finds.
    pub(crate) fn event(&self, query: &str) -> Value {
        let mut events = self.events(query);
        assert_eq!(events.len(), 1, "{query}: {events:?}");
        events.remove(0)
    }

    /// What readers are told of the policy.
    pub(crate) fn policy(&self) -> Value {
        self.json("policy")
    }

    /// The CSV file that readers get, by header: one map from label to cell for each row.
    pub(crate) fn table(&self, query: &str) -> Vec<BTreeMap<String, String>> {
        let file = self.get(&format!("events.csv?labels=true&-action=trailbook.*&{query}"));
        assert_eq!(file.status, 200, "{query}: {}", file.text());
        let mut reader = csv::Reader::from_reader(&file.body[..]);
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// The header of that file, in its order.
    pub(crate) fn header(&self) -> Vec<String> {
        let file = self.get("events.csv?labels=true");
        let mut reader = csv::Reader::from_reader(&file.body[..]);
        reader.headers().unwrap().iter().map(ToOwned::to_owned).collect()
    }

    /// Values and labels of a facet, as the screen's filter list has them.
    pub(crate) fn facet(&self, field: &str) -> Vec<(String, String)> {
        let facets = self.json(&format!("events/facets?field={field}&limit=1000&-action=trailbook.*"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let values = facets["facets"][field].as_array().unwrap().iter();
        values
            .map(|value| (text(&value["value"]), text(&value["label"])))
            .collect()
    }

    /// Sends an event of the organization, as root.
    pub(crate) fn send(&self, event: &Value) -> Answer {
        let mut event = event.clone();
        event["organization"] = json!(ORGANIZATION);
        self.server.ingest(&event)
    }

    /// Sends an event and reads it back.
    pub(crate) fn sent(&self, event: &Value) -> Value {
        let answer = self.send(event);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.json()["events"][0]["id"].as_str().unwrap().to_owned();
        self.json(&format!("events/{id}"))
    }

    /// The pointers of what is wrong with an event.
    pub(crate) fn faults(&self, event: &Value) -> Vec<String> {
        let answer = self.send(event);
        assert_eq!(answer.status, 422, "{}", answer.text());
        let errors = answer.json()["errors"].clone();
        let pointers = errors
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["pointer"].as_str().unwrap().to_owned());
        pointers.collect()
    }

    /// A viewer token for somebody with a role and permissions.
    pub(crate) fn token(&self, role: &str, permissions: &[&str]) -> String {
        let actor = json!({"id": "u_1", "name": "Somebody", "role": role, "permissions": permissions});
        let body = json!({"actor": actor, "may_export": true}).to_string();
        let answer = self.server.post(
            &format!("/v1/organizations/{ORGANIZATION}/viewer-tokens"),
            &[],
            body.as_bytes(),
        );
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// A GET below the organization by somebody with a role and permissions.
    pub(crate) fn get_as(&self, role: &str, permissions: &[&str], path: &str) -> Answer {
        let authorization = format!("Bearer {}", self.token(role, permissions));
        let path = format!("/v1/organizations/{ORGANIZATION}/{path}");
        self.server
            .send("GET", &path, &[("Authorization", &authorization)], b"")
    }
}

/// Somebody who is signed in to the console.
pub(crate) struct Person {
    id: String,
    cookie: String,
}

const PASSWORD: &str = "seven quiet herons wade";

impl Log {
    /// The value that has this label in the list of a field's values.
    pub(crate) fn value(&self, field: &str, label: &str) -> String {
        let values = self.facet(field);
        let mut named = values.iter().filter(|(_, seen)| seen == label);
        let (value, _) = named.next().unwrap_or_else(|| panic!("no {label:?} in {values:?}"));
        value.clone()
    }

    /// Days from an event's receipt to its expiry; `None` when it is kept for ever.
    pub(crate) fn kept_days(&self, event: &Value) -> Option<i64> {
        let millis = |member: &str| Some(Timestamp::parse(event[member].as_str()?).unwrap().millis());
        Some((millis("expires_at")? - millis("received_at")?) / DAY_MS)
    }

    /// A user of the organization's console, signed in.
    pub(crate) fn person(&self, email: &str, role: &str, permissions: &[&str]) -> Person {
        let body = json!({"email": email, "role": role, "permissions": permissions, "password": PASSWORD}).to_string();
        let made = self
            .server
            .post(&format!("/v1/organizations/{ORGANIZATION}/users"), &[], body.as_bytes());
        assert_eq!(made.status, 201, "{}", made.text());
        let body = json!({"email": email, "password": PASSWORD, "organization": ORGANIZATION}).to_string();
        let headers = [("Content-Type", "application/json"), ("Trailbook-Console", "1")];
        let signed_in = self.server.send("POST", "/auth/sign-in", &headers, body.as_bytes());
        assert_eq!(signed_in.status, 200, "{}", signed_in.text());
        let cookie = signed_in.headers["set-cookie"].split(';').next().unwrap().to_owned();
        let id = made.json()["id"].as_str().unwrap().to_owned();
        Person { id, cookie }
    }

    /// Changes members of a user, as root.
    pub(crate) fn change_person(&self, person: &Person, change: &Value) {
        let path = format!("/v1/organizations/{ORGANIZATION}/users/{}", person.id);
        let authorization = format!("Bearer {ROOT_KEY}");
        let headers = [("Authorization", &*authorization), ("Content-Type", "application/json")];
        let answer = self
            .server
            .send("PATCH", &path, &headers, change.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Sets the permissions of a user, as root.
    pub(crate) fn permit_person(&self, person: &Person, permissions: &[&str]) {
        let path = format!("/v1/organizations/{ORGANIZATION}/users/{}/permissions", person.id);
        let answer = self.server.put(&path, &json!({ "permissions": permissions }));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The project's catalog.
    pub(crate) fn catalog(&self) -> Value {
        let answer = self.server.get("/v1/projects/default/catalog");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// A GET below the organization in a session.
    pub(crate) fn get_by(&self, person: &Person, path: &str) -> Answer {
        let path = format!("/v1/organizations/{ORGANIZATION}/{path}");
        self.server.send("GET", &path, &[("Cookie", &person.cookie)], b"")
    }
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

/// The time so many days before now.
pub(crate) fn days_ago(days: i64) -> String {
    Timestamp::from_millis(now_ms() - days * DAY_MS).to_string()
}

/// Midnight in UTC, so many days before today.
pub(crate) fn beginning_of_day(days_ago: i64) -> String {
    let now = now_ms();
    Timestamp::from_millis(now - now % DAY_MS - days_ago * DAY_MS).to_string()
}

/// The texts of a list.
pub(crate) fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}
