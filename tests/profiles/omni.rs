//! The rows of Omni: seven kinds of payload, in as they are and out as they were, each field held to its type.

use serde_json::{Value, json};

use crate::{
    log::{Log, ORGANIZATION, days_ago},
    rows,
    server::Answer,
};

const ADMIN: &str = "organization_admin";
const TRACE: &str = "0b9d6a4e-3f52-4c17-8e6a-5d2f7c81b390";
const QUERY: &str = "7c15e2f0-9a86-4d3b-b1f4-e80c62d97a35";
const URL: &str = "https://northwind.omniapp.example/dashboards/d_1";

/// A payload with all the fields that the page lists for its event.
fn payload(event: &str) -> Value {
    let mut payload = match event {
        "QUERY_CONTEXT" => json!({
            "documentIdentifier": "d_1", "embedEntity": "acme", "organizationID": "org-7", "organizationUserID": "u_1",
            "queryCount": 8, "referrer": "https://portal.example/reports", "source": "dashboard", "url": URL,
        }),
        "QUERY_EXECUTE" => json!({
            "duration": 1284.5, "jobId": "job-1", "omniQueryID": QUERY, "organizationID": "org-7",
            "query": "SELECT region, SUM(amount)\nFROM orders -- é",
        }),
        "DASHBOARD_DOWNLOAD" => json!({
            "documentIdentifier": "d_1", "embedEntity": "acme", "organizationID": "org-7", "organizationUserID": "u_1", "url": URL,
        }),
        "UPDATE_CONNECTION_BASE_ROLE" => json!({
            "actor": { "id": "u_1", "name": "Priya Nair", "email": "priya@northwind.example", "locale": ["en", 1] },
            "connectionID": "c_1", "roleDefinitionName": "QUERIER",
        }),
        "UPDATE_USER_CONNECTION_ROLE" => json!({
            "connectionId": "c_1", "organizationID": "org-7", "organizationUserID": "u_1",
        }),
        "UPDATE_GROUP_CONNECTION_ROLE" => json!({
            "actor": { "id": "u_1", "name": "Priya Nair", "email": "priya@northwind.example" }, "connectionId": "c_1",
            "organizationID": "org-7", "roleDefinitionName": "VIEWER", "targetMembershipID": "m_1", "userGroupId": "g_1",
        }),
        "USER_INVITE" => json!({
            "invitedOrganizationUserId": "u_2", "organizationID": "org-7", "organizationUserID": "u_1",
        }),
        other => panic!("the page has no {other}"),
    };
    payload["event"] = json!(event);
    payload["message"] = json!("Something to say");
    payload["traceID"] = json!(TRACE);
    payload[time(event)] = json!(days_ago(1));
    payload
}

/// The name of an event's time.
fn time(event: &str) -> &'static str {
    if event == "QUERY_EXECUTE" {
        "@timestamp"
    } else {
        "timestamp"
    }
}

fn with(mut payload: Value, name: &str, value: &Value) -> Value {
    payload[name] = value.clone();
    payload
}

fn without(mut payload: Value, name: &str) -> Value {
    payload.as_object_mut().unwrap().remove(name).unwrap();
    payload
}

/// Sends payloads that the call says to be the organization's.
fn send(log: &Log, payloads: &Value) -> Answer {
    let path = format!("/v1/events?mapping=omni&organization={ORGANIZATION}");
    log.server.post(&path, &[], payloads.to_string().as_bytes())
}

/// The id of a payload that was taken.
fn taken(log: &Log, payload: &Value) -> String {
    let answer = send(log, payload);
    assert_eq!(answer.status, 201, "{payload}: {}", answer.text());
    answer.json()["events"][0]["id"].as_str().unwrap().to_owned()
}

/// A payload that was taken comes out as it was; the event that it is.
fn kept(log: &Log, payload: &Value) -> Value {
    let id = taken(log, payload);
    assert_eq!(log.json(&format!("events/{id}?mapping=omni")), *payload);
    log.json(&format!("events/{id}"))
}

/// What is wrong with a payload: pointers into it and sentences.
fn refused(log: &Log, payload: &Value) -> Vec<(String, String)> {
    let answer = send(log, payload);
    assert_eq!(answer.status, 422, "{payload}: {}", answer.text());
    let document = answer.json();
    let text = |error: &Value, member: &str| error[member].as_str().unwrap().to_owned();
    let errors = document["errors"].as_array().unwrap().iter();
    errors
        .map(|error| (text(error, "pointer"), text(error, "detail")))
        .collect()
}

/// The types of fields.
enum Type {
    Id,
    Text,
    Uuid,
    Time,
    Url,
    Referrer,
    Count,
    Number,
    Source,
    Object,
}

impl Type {
    /// Values that a field of the type may have.
    fn right(&self) -> Vec<Value> {
        match self {
            Self::Id => vec![json!("x-1"), json!("a text: 17/é")],
            Self::Text => vec![json!("Result limited to 5000 rows"), json!("two\nlines of 🦀")],
            Self::Uuid => vec![
                json!("5f7d2a90-4c1e-4b8a-9d36-e02b7c5f1a84"),
                json!("5F7D2A90-4C1E-4B8A-9D36-E02B7C5F1A84"),
            ],
            Self::Time => vec![json!(days_ago(2)), json!(days_ago(3).replace('Z', "+00:00"))],
            Self::Url => vec![
                json!("https://northwind.omniapp.example/w/1?x=1#top"),
                json!("http://localhost:3000/w/1"),
            ],
            Self::Referrer => vec![json!("https://portal.example/"), json!("")],
            Self::Count => vec![json!(0), json!(1), json!(2500)],
            Self::Number => vec![json!(0), json!(12.25), json!(86_400_000)],
            Self::Source => vec![json!("dashboard"), json!("workbook")],
            Self::Object => vec![
                json!({ "id": "u_9" }),
                json!({ "email": "a@b.example", "teams": ["x", { "deep": null }] }),
            ],
        }
    }

    /// Values that it may not have.
    fn wrong(&self) -> Vec<Value> {
        let of_type = match self {
            Self::Id => vec![json!(17), json!(""), json!(["x-1"])],
            Self::Text => vec![json!(17), json!(["text"])],
            Self::Uuid => vec![
                json!(17),
                json!(""),
                json!("trace-17"),
                json!("5f7d2a904c1e4b8a9d36e02b7c5f1a84x"),
            ],
            Self::Time => vec![json!("noon"), json!("2026-11-20"), json!(true)],
            Self::Url | Self::Referrer => vec![json!(17), json!("portal"), json!("javascript:alert(1)")],
            Self::Count => vec![json!("8"), json!(1.5), json!(-1)],
            Self::Number => vec![json!("1.5"), json!(-1)],
            Self::Source => vec![json!("hub"), json!("Dashboard"), json!(1)],
            Self::Object => vec![json!("u_1"), json!({}), json!(["u_1"])],
        };
        of_type
            .into_iter()
            .chain(
                [json!({ "not": ["it"] })]
                    .into_iter()
                    .filter(|_| !matches!(self, Self::Object)),
            )
            .collect()
    }
}

/// A field that the page lists: right values are kept and come out as they came, wrong ones are refused where they stand, and a payload
/// without it is refused.
fn field(log: &Log, event: &str, name: &str, of: &Type) {
    values(log, event, name, of);
    for payload in [without(payload(event), name), with(payload(event), name, &Value::Null)] {
        let faults = refused(log, &payload);
        let names_it = |(pointer, detail): &(String, String)| *pointer == format!("/{name}") || detail.contains(name);
        assert!(faults.iter().any(names_it), "{name} is missed: {faults:?}");
    }
}

/// As [`field`], of a field that need not be there.
fn optional(log: &Log, event: &str, name: &str, of: &Type) {
    values(log, event, name, of);
    kept(log, &without(payload(event), name));
    kept(log, &with(payload(event), name, &Value::Null));
}

fn values(log: &Log, event: &str, name: &str, of: &Type) {
    for value in of.right() {
        let stored = kept(log, &with(payload(event), name, &value));
        assert_eq!(stored["metadata"][name], value, "nothing is made of it");
        assert!(has_its_place(&stored, name, &value), "{name} of {stored}");
    }
    for value in of.wrong() {
        let faults = refused(log, &with(payload(event), name, &value));
        assert!(!faults.is_empty());
        for (pointer, detail) in faults {
            assert!(
                pointer.starts_with(&format!("/{name}")),
                "{name} {value}: {pointer} {detail}"
            );
        }
    }
}

/// What a field says stands in the event where all kinds of events have it.
fn has_its_place(event: &Value, name: &str, value: &Value) -> bool {
    let is_target = || {
        event["targets"]
            .as_array()
            .unwrap()
            .iter()
            .any(|target| target["id"] == *value)
    };
    let instant = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    match name {
        "message" => event["message"] == *value,
        "organizationUserID" => event["actor"]["id"] == *value,
        "actor" => event["actor"]["id"] == value["id"] || event["actor"]["id"] == value["email"],
        "traceID" => event["trace_id"] == *value,
        "url" => event["context"]["url"] == *value,
        "referrer" => value == "" || event["context"]["referrer"] == *value,
        "timestamp" | "@timestamp" => instant(&event["occurred_at"]) == instant(value),
        "documentIdentifier"
        | "jobId"
        | "omniQueryID"
        | "connectionID"
        | "connectionId"
        | "targetMembershipID"
        | "userGroupId"
        | "invitedOrganizationUserId" => is_target(),
        "source" => event["targets"][0]["type"] == *value,
        "roleDefinitionName" => event["changes"][0]["after"] == *value,
        _ => true,
    }
}

/// The field `event`: its constant makes it this action, it must be there, and it comes out of an event in our own form too.
fn constant(log: &Log, event: &str, kind: &str) {
    let stored = kept(log, &payload(event));
    assert_eq!(stored["action"], log.value("action", kind));
    for wrong in [
        without(payload(event), "event"),
        with(payload(event), "event", &Value::Null),
        with(payload(event), "event", &json!({})),
    ] {
        assert_eq!(refused(log, &wrong)[0].0, "/event");
    }
    let own =
        json!({ "action": stored["action"], "actor": { "id": "u_1" }, "metadata": without(payload(event), "event") });
    let id = log.sent(&own)["id"].as_str().unwrap().to_owned();
    assert_eq!(log.json(&format!("events/{id}?mapping=omni"))["event"], event);
}

/// The field `organizationID`: an id, and whose event it is when the call does not say.
fn organization(log: &Log, event: &str) {
    field(log, event, "organizationID", &Type::Id);
    let answer = log
        .server
        .post("/v1/events?mapping=omni", &[], payload(event).to_string().as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["events"][0]["organization"], "org-7");
}

/// What an aggregate answers, over all time.
fn aggregate(log: &Log, request: &Value) -> Value {
    let path = format!("/v1/organizations/{ORGANIZATION}/events/aggregate");
    let answer = log.server.post(&path, &[], request.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{request}: {}", answer.text());
    answer.json()["rows"].clone()
}

/// A question that the policy has by name.
fn named(log: &Log, id: &str) -> Value {
    let queries = log.policy()["queries"].clone();
    let found = queries.as_array().unwrap().iter().find(|query| query["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {queries}")).clone()
}

/// The events of one trace.
fn trace(log: &Log, id: &Value) -> Value {
    log.json(&format!("traces/{}", id.as_str().unwrap()))
}

fn actions(trace: &Value) -> Vec<&str> {
    trace["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect()
}

/// All payloads of the organization, as a file of lines.
fn lines(log: &Log) -> Vec<Value> {
    let file = log.get("events.jsonl?mapping=omni&-action=trailbook.*");
    assert_eq!(file.status, 200, "{}", file.text());
    file.text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

const KINDS: [&str; 7] = [
    "QUERY_CONTEXT",
    "QUERY_EXECUTE",
    "DASHBOARD_DOWNLOAD",
    "UPDATE_CONNECTION_BASE_ROLE",
    "UPDATE_USER_CONNECTION_ROLE",
    "UPDATE_GROUP_CONNECTION_ROLE",
    "USER_INVITE",
];

rows! { "omni";
    n_1 "Events are structured JSON payloads" => |log| {
        let all: Vec<Value> = KINDS.into_iter().map(payload).collect();
        let answer = send(&log, &json!(all));
        assert_eq!((answer.status, &answer.json()["accepted"]), (201, &json!(7)), "{}", answer.text());
        let lines = lines(&log);
        assert!(all.iter().all(|payload| lines.contains(payload)), "{lines:?}");
    }
    n_2 "Sent in batches to Amazon S3" => |log| {
        let before = lines(&log).len();
        let batch = json!([payload("QUERY_CONTEXT"), payload("USER_INVITE")]);
        assert_eq!(send(&log, &batch).json()["accepted"], 2);
        let again = send(&log, &batch).json();
        assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(2)), "a batch that comes again is not stored again");
        assert_eq!(lines(&log).len(), before + 2);
    } outside "test_objects::test_omnis_payloads_lie_in_the_bucket_as_they_were_sent_within_the_interval_and_two_seconds"
    n_3 "Available a few minutes after they are written" => |log| {
        let payload = payload("QUERY_CONTEXT");
        taken(&log, &payload);
        assert!(lines(&log).contains(&payload), "as soon as it is acknowledged");
    } outside "test_objects::test_omnis_payloads_lie_in_the_bucket_as_they_were_sent_within_the_interval_and_two_seconds"
    n_4 "For security analysis and for performance analysis" => |log| {
        let security = log.events("security=true");
        let found: Vec<&Value> = security.iter().map(|event| &event["metadata"]["event"]).collect();
        assert!(found.contains(&&json!("DASHBOARD_DOWNLOAD")) && found.contains(&&json!("USER_INVITE")), "{found:?}");
        assert!(!found.contains(&&json!("QUERY_EXECUTE")));
        let time = aggregate(&log, &named(&log, "warehouse_time")["aggregate"]);
        let durations: Vec<f64> = log.events("action=query.execute").iter().map(|event| event["metadata"]["duration"].as_f64().unwrap()).collect();
        assert_eq!(time[0]["metrics"]["total"].as_f64().unwrap(), durations.iter().sum::<f64>());
        let downloads = aggregate(&log, &named(&log, "downloads_by_user")["aggregate"]);
        let counted: u64 = downloads.as_array().unwrap().iter().map(|row| row["metrics"]["downloads"].as_u64().unwrap()).sum();
        assert_eq!(counted, log.events("action=dashboard.download").len() as u64);
    }
    n_5 "Setup: here self serve instead of through support" => |log| {
        // Nothing was done to this server but to apply the profile.
        kept(&log, &payload("QUERY_CONTEXT"));
        assert_eq!(log.get_as(ADMIN, &[], "events?mapping=omni").status, 200);
    }
    n_6 "Organization Admin is required to look" => |log| {
        assert_eq!(log.policy()["labels"]["values"]["role"][ADMIN], "Organization Admin");
        for path in ["events", "events?mapping=omni", "events.jsonl", "events.csv"] {
            assert_eq!(log.get_as(ADMIN, &[], path).status, 200, "{path}");
            for role in ["member", "administrator", "owner", "auditor", "connection_admin"] {
                assert_eq!(log.get_as(role, &[], path).status, 403, "{role} {path}");
            }
        }
    }
    n_7 "Kept for at least a year, shorter on request" => |log| {
        let event = log.event("action=user.invited");
        assert!(log.kept_days(&event).is_some_and(|days| days >= 365), "{event}");
        let policy = json!({ "policy": { "retention_days": 30 } });
        let set = log.server.put("/v1/organizations/brief", &policy);
        assert!((200..300).contains(&set.status), "{}", set.text());
        let answer = log.server.post("/v1/events?mapping=omni&organization=brief", &[], payload("USER_INVITE").to_string().as_bytes());
        assert_eq!(answer.status, 201, "{}", answer.text());
        let brief = log.server.get("/v1/organizations/brief/events?action=user.invited").json();
        assert_eq!(log.kept_days(&brief["events"][0]), Some(30));
        assert_eq!(log.event("action=user.invited"), event, "nothing changed for others");
    }
    n_8 "Payloads can have further metadata, which may be ignored" => |log| {
        for kind in KINDS {
            let more = with(payload(kind), "omni", &json!({ "service": "web", "build": 4127, "tags": ["a", null, { "x": 1.5 }] }));
            kept(&log, &with(more, "fileSizeBytes", &json!(48211)));
        }
        let new = json!({ "event": "QUERY_CANCELLED", "timestamp": days_ago(1), "organizationUserID": "u_1", "reason": { "code": 7 } });
        let stored = kept(&log, &new);
        assert_eq!(stored["action"], "QUERY_CANCELLED", "a kind that is new is kept under its own name");
    }
    n_9 "traceID leads from a load or a download to the executions that it caused" => |log| {
        let load = log.event("action=query.context&metadata.embedEntity=acme-retail");
        let of_load = trace(&log, &load["trace_id"]);
        assert_eq!(actions(&of_load), ["query.context", "query.execute", "query.execute"]);
        assert_eq!(of_load["events"][0]["id"], load["id"]);
        let download = log.event("action=dashboard.download&metadata.embedEntity=acme-retail");
        assert_eq!(actions(&trace(&log, &download["trace_id"])), ["dashboard.download", "query.execute", "query.execute"]);
    }
    n_10 "queryCount is the denominator of the cache hit rate" => |log| {
        // A load of ten queries, of which one ran; executions of a workbook and a download are none of a dashboard's.
        let load = with(payload("QUERY_CONTEXT"), "queryCount", &json!(10));
        let of = |mut payload: Value, trace: &str| { payload["traceID"] = json!(trace); payload };
        let workbook = of(with(payload("QUERY_CONTEXT"), "source", &json!("workbook")), "3d6a09f4-e57b-4812-b0c9-8f1d2e7a5b61");
        let download = of(payload("DASHBOARD_DOWNLOAD"), "a70e5c92-8d4f-4b16-9f23-d6c1b8e0f755");
        let executions = [&load, &workbook, &download].map(|cause| of(payload("QUERY_EXECUTE"), cause["traceID"].as_str().unwrap()));
        let answer = send(&log, &json!([load, workbook, download, executions[0], executions[1], executions[2]]));
        assert_eq!(answer.json()["accepted"], 6, "{}", answer.text());

        let mut query = named(&log, "cache_hit_rate")["aggregate"].clone();
        query["filter"] = json!(format!("{} trace_id:{TRACE},{},{}", query["filter"].as_str().unwrap(), workbook["traceID"].as_str().unwrap(), download["traceID"].as_str().unwrap()));
        let metrics = aggregate(&log, &query)[0]["metrics"].clone();
        assert_eq!((&metrics["queries"], &metrics["executions"]), (&json!(10), &json!(1)), "{metrics}");
        assert!((metrics["cache_hit_rate"].as_f64().unwrap() - 0.9).abs() < 1e-9);

        // The same over everything, counted by hand.
        let loads = log.events("action=query.context&metadata.source=dashboard");
        let queries: u64 = loads.iter().map(|load| load["metadata"]["queryCount"].as_u64().unwrap()).sum();
        let ran = log.events("action=query.execute").iter().filter(|run| loads.iter().any(|load| load["trace_id"] == run["trace_id"])).count();
        assert!(ran > 1 && queries > 10);
        let rate = aggregate(&log, &named(&log, "cache_hit_rate")["aggregate"])[0]["metrics"]["cache_hit_rate"].as_f64().unwrap();
        assert!((rate - (1.0 - ran as f64 / queries as f64)).abs() < 1e-9, "{rate}");
    }
    n_11 "Google Cloud Storage is a second destination" => outside "test_objects::test_omnis_payloads_lie_in_the_bucket_as_they_were_sent_within_the_interval_and_two_seconds"

    n_12 "Query context, documentIdentifier: the id of the document" => |log| { field(&log, "QUERY_CONTEXT", "documentIdentifier", &Type::Id); }
    n_13 "Query context, embedEntity: optional, the entity of the embed URL" => |log| { optional(&log, "QUERY_CONTEXT", "embedEntity", &Type::Text); }
    n_14 "Query context, event: QUERY_CONTEXT" => |log| { constant(&log, "QUERY_CONTEXT", "Query context"); }
    n_15 "Query context, message" => |log| { field(&log, "QUERY_CONTEXT", "message", &Type::Text); }
    n_16 "Query context, organizationID" => |log| { organization(&log, "QUERY_CONTEXT"); }
    n_17 "Query context, organizationUserID" => |log| { field(&log, "QUERY_CONTEXT", "organizationUserID", &Type::Id); }
    n_18 "Query context, queryCount: the most executions that the load can cause" => |log| { field(&log, "QUERY_CONTEXT", "queryCount", &Type::Count); }
    n_19 "Query context, referrer: a URL" => |log| { field(&log, "QUERY_CONTEXT", "referrer", &Type::Referrer); }
    n_20 "Query context, source: dashboard or workbook" => |log| { field(&log, "QUERY_CONTEXT", "source", &Type::Source); }
    n_21 "Query context, timestamp" => |log| { field(&log, "QUERY_CONTEXT", "timestamp", &Type::Time); }
    n_22 "Query context, traceID: a UUID" => |log| { field(&log, "QUERY_CONTEXT", "traceID", &Type::Uuid); }
    n_23 "Query context, url" => |log| { field(&log, "QUERY_CONTEXT", "url", &Type::Url); }

    n_24 "Query execution, @timestamp: the time, under a name of its own" => |log| {
        field(&log, "QUERY_EXECUTE", "@timestamp", &Type::Time);
        let other = with(without(payload("QUERY_EXECUTE"), "@timestamp"), "timestamp", &json!(days_ago(1)));
        assert!(!refused(&log, &other).is_empty(), "the name of the other six is not this event's");
    }
    n_25 "Query execution, duration: how long it ran in the warehouse" => |log| { field(&log, "QUERY_EXECUTE", "duration", &Type::Number); }
    n_26 "Query execution, event: QUERY_EXECUTE" => |log| { constant(&log, "QUERY_EXECUTE", "Query execution"); }
    n_27 "Query execution, jobId: the job in the warehouse" => |log| { field(&log, "QUERY_EXECUTE", "jobId", &Type::Id); }
    n_28 "Query execution, message: if there is one" => |log| { optional(&log, "QUERY_EXECUTE", "message", &Type::Text); }
    n_29 "Query execution, omniQueryID: a UUID, to kill the query by" => |log| { field(&log, "QUERY_EXECUTE", "omniQueryID", &Type::Uuid); }
    n_30 "Query execution, organizationID" => |log| { organization(&log, "QUERY_EXECUTE"); }
    n_31 "Query execution, query: its text, however long" => |log| {
        field(&log, "QUERY_EXECUTE", "query", &Type::Text);
        let long = format!("SELECT '{}'", "é\t\"quoted\"\n".repeat(20_000));
        kept(&log, &with(payload("QUERY_EXECUTE"), "query", &json!(long)));
    }
    n_32 "Query execution, traceID: a UUID" => |log| { field(&log, "QUERY_EXECUTE", "traceID", &Type::Uuid); }
    n_33 "Query execution names no user; the trace does" => |log| {
        let run = kept(&log, &payload("QUERY_EXECUTE"));
        assert_eq!(run["actor"]["type"], "unknown");
        assert!(run["actor"]["id"].is_null());
        taken(&log, &with(payload("QUERY_CONTEXT"), "organizationUserID", &json!("u_trace")));
        let found = trace(&log, &run["trace_id"]);
        assert_eq!(found["actors"].as_array().unwrap().len(), 1, "{}", found["actors"]);
        assert_eq!(found["actors"][0]["id"], "u_trace");
        assert_eq!(log.json(&format!("events/{}", run["id"].as_str().unwrap())), run, "the event is not rewritten");
    }

    n_34 "Dashboard download, documentIdentifier" => |log| { field(&log, "DASHBOARD_DOWNLOAD", "documentIdentifier", &Type::Id); }
    n_35 "Dashboard download, embedEntity: optional" => |log| { optional(&log, "DASHBOARD_DOWNLOAD", "embedEntity", &Type::Text); }
    n_36 "Dashboard download, event: DASHBOARD_DOWNLOAD" => |log| { constant(&log, "DASHBOARD_DOWNLOAD", "Dashboard download"); }
    n_37 "Dashboard download, message" => |log| { field(&log, "DASHBOARD_DOWNLOAD", "message", &Type::Text); }
    n_38 "Dashboard download, organizationID" => |log| { organization(&log, "DASHBOARD_DOWNLOAD"); }
    n_39 "Dashboard download, organizationUserID" => |log| { field(&log, "DASHBOARD_DOWNLOAD", "organizationUserID", &Type::Id); }
    n_40 "Dashboard download, timestamp" => |log| { field(&log, "DASHBOARD_DOWNLOAD", "timestamp", &Type::Time); }
    n_41 "Dashboard download, traceID: a UUID" => |log| { field(&log, "DASHBOARD_DOWNLOAD", "traceID", &Type::Uuid); }
    n_42 "Dashboard download, url" => |log| { field(&log, "DASHBOARD_DOWNLOAD", "url", &Type::Url); }

    n_43 "Connection base role, actor: an object with the user's details" => |log| {
        field(&log, "UPDATE_CONNECTION_BASE_ROLE", "actor", &Type::Object);
        let actor = kept(&log, &payload("UPDATE_CONNECTION_BASE_ROLE"))["actor"].clone();
        assert_eq!((&actor["id"], &actor["name"], &actor["email"]), (&json!("u_1"), &json!("Priya Nair"), &json!("priya@northwind.example")));
    }
    n_44 "Connection base role, connectionID with a capital D" => |log| {
        field(&log, "UPDATE_CONNECTION_BASE_ROLE", "connectionID", &Type::Id);
        let other = with(without(payload("UPDATE_CONNECTION_BASE_ROLE"), "connectionID"), "connectionId", &json!("c_1"));
        assert!(!refused(&log, &other).is_empty(), "the spelling of the other events is not this one's");
    }
    n_45 "Connection base role, event: UPDATE_CONNECTION_BASE_ROLE" => |log| { constant(&log, "UPDATE_CONNECTION_BASE_ROLE", "Connection base role"); }
    n_46 "Connection base role, message" => |log| { field(&log, "UPDATE_CONNECTION_BASE_ROLE", "message", &Type::Text); }
    n_47 "Connection base role, roleDefinitionName: the updated role" => |log| { field(&log, "UPDATE_CONNECTION_BASE_ROLE", "roleDefinitionName", &Type::Id); }
    n_48 "Connection base role, timestamp" => |log| { field(&log, "UPDATE_CONNECTION_BASE_ROLE", "timestamp", &Type::Time); }
    n_49 "Connection base role, traceID: a UUID" => |log| { field(&log, "UPDATE_CONNECTION_BASE_ROLE", "traceID", &Type::Uuid); }
    n_50 "Connection base role names no organization; the call does" => |log| {
        let payload = payload("UPDATE_CONNECTION_BASE_ROLE");
        assert!(payload.get("organizationID").is_none());
        let alone = log.server.post("/v1/events?mapping=omni", &[], payload.to_string().as_bytes());
        assert_eq!(alone.status, 422, "{}", alone.text());
        assert_eq!(kept(&log, &payload)["organization"], ORGANIZATION);
    }

    n_51 "User connection role, timestamp" => |log| { field(&log, "UPDATE_USER_CONNECTION_ROLE", "timestamp", &Type::Time); }
    n_52 "User connection role, event: UPDATE_USER_CONNECTION_ROLE" => |log| { constant(&log, "UPDATE_USER_CONNECTION_ROLE", "User connection role"); }
    n_53 "User connection role, connectionId with a small d" => |log| {
        field(&log, "UPDATE_USER_CONNECTION_ROLE", "connectionId", &Type::Id);
        let other = with(without(payload("UPDATE_USER_CONNECTION_ROLE"), "connectionId"), "connectionID", &json!("c_1"));
        assert!(!refused(&log, &other).is_empty(), "the spelling of the base role is not this one's");
    }
    n_54 "User connection role, message" => |log| { field(&log, "UPDATE_USER_CONNECTION_ROLE", "message", &Type::Text); }
    n_55 "User connection role, organizationID" => |log| { organization(&log, "UPDATE_USER_CONNECTION_ROLE"); }
    n_56 "User connection role, organizationUserID" => |log| { field(&log, "UPDATE_USER_CONNECTION_ROLE", "organizationUserID", &Type::Id); }
    n_57 "User connection role, traceID: a UUID" => |log| { field(&log, "UPDATE_USER_CONNECTION_ROLE", "traceID", &Type::Uuid); }
    n_58 "User connection role: the payload does not say the new role; an event can, with the old" => |log| {
        assert_eq!(kept(&log, &payload("UPDATE_USER_CONNECTION_ROLE"))["changes"], json!([]));
        let own = log.sent(&json!({
            "action": "user.connection_role.updated", "actor": { "id": "u_1" }, "metadata": { "connectionId": "c_1" },
            "changes": [{ "field": "connection_role", "before": "VIEWER", "after": "QUERIER" }],
        }));
        assert_eq!(own["changes"], json!([{ "field": "connection_role", "before": "VIEWER", "after": "QUERIER" }]));
        let out = log.json(&format!("events/{}?mapping=omni", own["id"].as_str().unwrap()));
        assert!(out.get("roleDefinitionName").is_none() && out["event"] == "UPDATE_USER_CONNECTION_ROLE", "{out}");
    }

    n_59 "User group connection role, actor: an object with the user's details" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "actor", &Type::Object); }
    n_60 "User group connection role, connectionId" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "connectionId", &Type::Id); }
    n_61 "User group connection role, event: UPDATE_GROUP_CONNECTION_ROLE" => |log| { constant(&log, "UPDATE_GROUP_CONNECTION_ROLE", "User group connection role"); }
    n_62 "User group connection role, message" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "message", &Type::Text); }
    n_63 "User group connection role, organizationID" => |log| { organization(&log, "UPDATE_GROUP_CONNECTION_ROLE"); }
    n_64 "User group connection role, roleDefinitionName: the updated role" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "roleDefinitionName", &Type::Id); }
    n_65 "User group connection role, targetMembershipID: the membership of the group" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "targetMembershipID", &Type::Id); }
    n_66 "User group connection role, timestamp" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "timestamp", &Type::Time); }
    n_67 "User group connection role, traceID: a UUID" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "traceID", &Type::Uuid); }
    n_68 "User group connection role, userGroupId" => |log| { field(&log, "UPDATE_GROUP_CONNECTION_ROLE", "userGroupId", &Type::Id); }

    n_69 "User invite, event: USER_INVITE" => |log| { constant(&log, "USER_INVITE", "User invite"); }
    n_70 "User invite, invitedOrganizationUserId: who was invited" => |log| { field(&log, "USER_INVITE", "invitedOrganizationUserId", &Type::Id); }
    n_71 "User invite, message" => |log| { field(&log, "USER_INVITE", "message", &Type::Text); }
    n_72 "User invite, organizationID" => |log| { organization(&log, "USER_INVITE"); }
    n_73 "User invite, organizationUserID" => |log| { field(&log, "USER_INVITE", "organizationUserID", &Type::Id); }
    n_74 "User invite, timestamp" => |log| { field(&log, "USER_INVITE", "timestamp", &Type::Time); }
    n_75 "User invite, traceID: a UUID" => |log| { field(&log, "USER_INVITE", "traceID", &Type::Uuid); }
    n_76 "Names differ between the events; one model holds them all" => |log| {
        send(&log, &json!(KINDS.map(payload)));
        let of_connection = log.events("target=c_1&target_type=connection");
        assert_eq!(of_connection.len(), 3, "connectionID and connectionId alike");
        let by_user = log.events("actor=u_1");
        assert_eq!(by_user.len(), 6, "an object and an id alike, and only the execution names nobody");
        assert_eq!(log.events(&format!("trace_id={TRACE}&from={}", days_ago(2))).len(), 7, "timestamp and @timestamp alike");
    }
}
