//! A running log with a product's profile: the real server, the real command that applies the profile, the profile's examples.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

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
