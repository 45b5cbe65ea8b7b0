//! Ometria's audit logs: 19 activities in 6 areas, 30 days, for administrators.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    log::{Log, ORGANIZATION, beginning_of_day, days_ago, texts},
    rows,
};

const AUTHENTICATION: &str = "Authentication";
const USERS: &str = "Users and permissions";
const REPORTING: &str = "Reporting";
const KEYS: &str = "API keys";
const FIELDS: &str = "Custom fields";
const CAPPING: &str = "Frequency capping";

/// Areas and activities, as the page has them.
const ACTIVITIES: [(&str, &[&str]); 6] = [
    (
        AUTHENTICATION,
        &[
            "Logging-in",
            "Resetting password",
            "Failing password",
            "Changing user password",
            "Requesting password reset link",
        ],
    ),
    (
        USERS,
        &[
            "Creating users",
            "Deleting users",
            "Adding permissions",
            "Removing permissions",
            "Requesting password reset link",
        ],
    ),
    (REPORTING, &["Data export requested", "Data export downloaded"]),
    (KEYS, &["Created an API key", "Viewed an API key", "Revoked an API key"]),
    (
        FIELDS,
        &[
            "Created custom field",
            "Custom field archived",
            "Custom field unarchived",
        ],
    ),
    (CAPPING, &["Frequency capping modified"]),
];

/// The filter that a reader sets who chooses an area and an activity from the lists.
fn choice(log: &Log, area: &str, activity: &str) -> String {
    let area_id = log.value("area", area);
    let shared = format!("{activity} ({area})");
    let actions = log.facet("action");
    let mut named = actions
        .iter()
        .filter(|(_, label)| *label == activity || *label == shared);
    let (action, _) = named.next().unwrap_or_else(|| panic!("{activity}: {actions:?}"));
    format!("area={area_id}&action={action}")
}

/// The events of an activity, newest first; there are some.
fn activity(log: &Log, area: &str, activity: &str) -> Vec<Value> {
    let events = log.events(&choice(log, area, activity));
    assert!(!events.is_empty(), "{activity}");
    events
}

/// Its rows in the table.
fn shown(log: &Log, area: &str, activity: &str) -> Vec<BTreeMap<String, String>> {
    let rows = log.table(&choice(log, area, activity));
    assert!(rows.iter().all(|row| row["Area"] == area), "{rows:?}");
    rows
}

/// What a column has for an activity, once each.
fn cells(log: &Log, area: &str, activity: &str, column: &str) -> BTreeSet<String> {
    let rows = shown(log, area, activity);
    rows.iter().map(|row| row[column].clone()).collect()
}

/// The list of a filter, by the heading that the page gives it.
fn heading(log: &Log, heading: &str) -> String {
    let filters = log.policy()["filters"].as_array().unwrap().clone();
    let filter = filters.iter().find(|filter| filter["label"] == heading);
    filter.unwrap()["field"].as_str().unwrap().to_owned()
}

/// A value of a filter finds what it says; two values find what either finds. Of which there are how many.
fn either(log: &Log, field: &str, one: &str, other: &str) -> usize {
    let count = |query: &str| log.events(query).len();
    let (first, second) = (count(&format!("{field}={one}")), count(&format!("{field}={other}")));
    assert!(first > 0 && second > 0, "{field}: {first} and {second}");
    assert_eq!(count(&format!("{field}={one}&{field}={other}")), first + second);
    first + second
}

/// Says which of some days a range finds, in days before today; and that the screen offers the preset.
fn found_days(log: &Log, preset: &str, range: &str) -> Vec<u64> {
    let presets = texts(&log.policy()["presets"]);
    assert!(presets.iter().any(|offered| offered == preset), "{presets:?}");
    for day in [0, 1, 6, 7, 27, 28] {
        let event = json!({"action": "user.logged_in", "actor": {"id": "u_0"}, "metadata": {"day": day},
            "occurred_at": beginning_of_day(day)});
        log.sent(&event);
    }
    let mut found: Vec<u64> = log
        .events(&format!("actor=u_0&{range}"))
        .iter()
        .map(|event| event["metadata"]["day"].as_u64().unwrap())
        .collect();
    found.sort_unstable();
    found
}

/// An event of an activity about permissions or fields, with this metadata.
fn with_metadata(action: &str, metadata: &Value) -> Value {
    json!({"action": action, "actor": {"id": "u_81"}, "targets": [{"type": "user", "id": "u_92"}], "metadata": metadata})
}

rows! { "ometria";
    o_1 "Monitors user activity; helps to find security breaches and internal misuse" => |log| {
        // Somebody guesses Bill's password from an address that is not his; Bill and Mia take data out.
        let guesses = log.events("security=true&result=failure&target=bill@fashion.example");
        assert_eq!(guesses.len(), 2);
        let exporters: BTreeSet<String> = log.events("security=true&action_type=export").iter()
            .map(|event| event["actor"]["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(exporters, BTreeSet::from(["Bill Hart".into(), "Mia Laurent".into()]));
    }
    o_2 "Who did what, where and when, from one row" => |log| {
        let rows = shown(&log, USERS, "Adding permissions");
        let row = &rows[0];
        assert_eq!(row["User"], "sarah@fashion.example");
        assert_eq!((&*row["Activity"], &*row["Target"]), ("Added permissions, can export data", "Bill Hart"));
        assert_eq!((&*row["Area"], &*row["IP address"]), (USERS, "203.0.113.24"));
        assert_eq!(row["Timestamp"], log.events("target=u_92&area=users_and_permissions")[0]["occurred_at"]);
    }
    o_3 "Recorded for each user of an account" => |log| {
        let sent = log.server.ingest(&json!({"organization": "shoes", "action": "user.logged_in", "actor": {"id": "u_81"}}));
        assert_eq!(sent.status, 201, "{}", sent.text());
        let hers = log.events("actor=sarah@fashion.example");
        assert!(!hers.is_empty() && hers.len() < log.events("").len());
        assert!(hers.iter().all(|event| event["actor"]["id"] == "u_81" && event["organization"] == ORGANIZATION));
    }
    o_4 "Found under Your account > Security" => |log| {
        assert_eq!(texts(&log.policy()["breadcrumb"]), ["Your account", "Security"]);
    } shown
    o_5 "The last 30 days are shown by default" => |log| {
        for days in [28, 31] {
            log.sent(&json!({"action": "user.logged_in", "actor": {"id": "u_0"}, "occurred_at": days_ago(days)}));
        }
        assert_eq!(log.policy()["default_range_days"], 30);
        assert_eq!(log.events("actor=u_0").len(), 1, "the day before 31 days is not among them");
        let earlier = format!("actor=u_0&from={}&to={}", days_ago(33), days_ago(30));
        assert_eq!(log.events(&earlier).len(), 1, "it is there, and found by who asks for it");
    }
    o_6 "Activity is there within five minutes" => |log| {
        let answer = log.send(&json!({"action": "user.logged_in", "actor": {"id": "u_0"}}));
        assert_eq!(answer.json()["events"][0]["id"], log.event("actor=u_0")["id"], "at once");
    }
    o_7 "One can look back 30 days" => |log| {
        let event = log.sent(&json!({"action": "user.logged_in", "actor": {"id": "u_0"}}));
        assert_eq!(log.kept_days(&event), Some(30));
        let page = log.json(&format!("events?from={}&to={}", days_ago(60), days_ago(40)));
        assert_eq!(page["warnings"][0]["code"], "beyond_retention");
        assert_eq!(log.get(&format!("events?from={}", days_ago(32))).status, 400, "no range is wider");
    }
    o_8 "Nothing from before the log was enabled for the account" => |log| {
        let enabled = json!({"policy": {"recorded_since": "2020-07-01T00:00:00Z"}});
        let answer = log.server.put(&format!("/v1/organizations/{ORGANIZATION}"), &enabled);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let at = |time: &str| json!({"action": "user.logged_in", "actor": {"id": "u_0"}, "occurred_at": time});
        assert_eq!(log.faults(&at("2020-06-30T23:59:59Z")), ["/occurred_at"]);
        assert_eq!(log.send(&at("2020-07-01T00:00:00Z")).status, 201);
        let since = log.policy()["recorded_since"].as_str().unwrap().to_owned();
        assert!(since.starts_with("2020-07-01T00:00:00"), "{since}");
    }
    o_9 "All users with the role Administrator can look, nobody else" => |log| {
        assert_eq!(log.get_as("administrator", &[], "events").status, 200);
        for (role, permissions) in [("user", &[][..]), ("owner", &[]), ("auditor", &[]), ("user", &["administrator", "admin"])] {
            assert_eq!(log.get_as(role, permissions, "events").status, 403, "{role} {permissions:?}");
        }
    }
    o_10 "Access ends when the role is changed from Administrator to User" => |log| {
        let somebody = log.person("mia@fashion.example", "administrator", &[]);
        assert_eq!(log.get_by(&somebody, "events").status, 200);
        log.change_person(&somebody, &json!({"role": "user"}));
        assert_eq!(log.get_by(&somebody, "events").status, 403, "the same session");
        let change = &log.json("events?action=trailbook.user.role_changed")["events"][0]["changes"][0];
        assert_eq!((&change["before"], &change["after"]), (&json!("administrator"), &json!("user")));
    }
    o_11 "Read-only: nobody can delete or edit, administrators included" => |log| {
        let event = log.event("action=user.deleted");
        let path = format!("/v1/organizations/{ORGANIZATION}/events/{}", event["id"].as_str().unwrap());
        let root = format!("Bearer {}", crate::server::ROOT_KEY);
        let administrator = format!("Bearer {}", log.token("administrator", &[]));
        for authorization in [&root, &administrator] {
            let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
            for method in ["PUT", "PATCH", "DELETE"] {
                assert_eq!(log.server.send(method, &path, &headers, b"{}").status, 405, "{method}");
            }
            let redaction = br#"{"parts": ["actor"], "reason": "asked for"}"#;
            assert_eq!(log.server.send("POST", &format!("{path}/redaction"), &headers, redaction).status, 403);
        }
        assert_eq!(log.event("action=user.deleted"), event);
        log.server.assert_evidence(ORGANIZATION, "");
    }
    o_12 "Not exportable and not available by API there; here it is both" => |log| {
        for file in ["events.csv", "events.jsonl"] {
            assert_eq!(log.get_as("administrator", &[], file).status, 200, "{file}");
            assert_eq!(log.get_as("user", &[], file).status, 403, "{file}");
        }
        let request = json!({"name": "reader", "scopes": ["events:read"], "organization": ORGANIZATION}).to_string();
        let made = log.server.post("/v1/keys", &[], request.as_bytes()).json();
        let authorization = format!("Bearer {}", made["key"].as_str().unwrap_or_else(|| panic!("{made}")));
        let path = format!("/v1/organizations/{ORGANIZATION}/events");
        assert_eq!(log.server.send("GET", &path, &[("Authorization", &authorization)], b"").status, 200);
    }
    o_13 "Readers can leave comments" => |log| {
        assert!(log.policy()["feedback_url"].as_str().unwrap().starts_with("https://"));
    } shown

    o_14 "Range: Today" => |log| {
        let today = format!("from={}&to={}", beginning_of_day(0), beginning_of_day(-1));
        assert_eq!(found_days(&log, "today", &today), [0]);
    } shown
    o_15 "Range: Yesterday" => |log| {
        let yesterday = format!("from={}&to={}", beginning_of_day(1), beginning_of_day(0));
        assert_eq!(found_days(&log, "yesterday", &yesterday), [1]);
    } shown
    o_16 "Range: Last 7 days" => |log| {
        let week = format!("from={}&to={}", beginning_of_day(6), beginning_of_day(-1));
        assert_eq!(found_days(&log, "last_7_days", &week), [0, 1, 6]);
    } shown
    o_17 "Range: Last 28 days" => |log| {
        let weeks = format!("from={}&to={}", beginning_of_day(27), beginning_of_day(-1));
        assert_eq!(found_days(&log, "last_28_days", &weeks), [0, 1, 6, 7, 27]);
    } shown
    o_18 "Range: Custom range" => |log| {
        let custom = format!("from={}&to={}", beginning_of_day(7), beginning_of_day(0));
        assert_eq!(found_days(&log, "custom", &custom), [1, 6, 7]);
    } shown

    o_19 "Search for activity, targets and IP addresses" => |log| {
        for (search, activity) in [
            ("q=failing", "Failing password"),
            ("q=%22magento%202%20integration%22%20view", "Viewed an API key, Magento 2 integration"),
            ("q=mia%20permissions%20can", ""),
            ("q=tom", "Deleting users"),
            ("q=ip:198.51.100.212", "Failing password"),
        ] {
            let rows = log.table(search);
            let found: BTreeSet<&str> = rows.iter().map(|row| row["Activity"].as_str()).collect();
            let wanted = BTreeSet::from([activity]);
            assert_eq!(found, if activity.is_empty() { BTreeSet::new() } else { wanted }, "{search}");
        }
    } shown
    o_20 "Search offers target users and types of activity as one types" => |log| {
        let labels = |field: &str, prefix: &str| {
            let facets = log.json(&format!("events/facets?field={field}&prefix={prefix}"));
            let values = facets["facets"][field].as_array().unwrap().clone();
            values.iter().map(|value| value["label"].as_str().unwrap_or_default().to_owned()).collect::<BTreeSet<_>>()
        };
        assert!(labels("target", "bill%20h").contains("Bill Hart"));
        let fields = ["Created custom field", "Custom field archived", "Custom field unarchived"].map(str::to_owned);
        assert_eq!(labels("action", "CUSTOM"), BTreeSet::from(fields), "any word of the name");
    } shown
    o_21 "Search minds upper and lower case there; here it does not" => |log| {
        for (word, exports) in [("Cohort", 2), ("Products", 1), ("Kpis", 1)] {
            for written in [word.to_owned(), word.to_lowercase(), word.to_uppercase()] {
                assert_eq!(log.events(&format!("q={written}")).len(), exports, "{written}");
            }
        }
    }
    o_22 "Filter: Areas" => |log| {
        let field = heading(&log, "Areas");
        let labels: BTreeSet<String> = log.facet(&field).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ACTIVITIES.map(|(area, _)| area.to_owned()).into());
        either(&log, &field, &log.value("area", REPORTING), &log.value("area", KEYS));
    } shown
    o_23 "Filter: Activities" => |log| {
        let field = heading(&log, "Activities");
        let labels = log.facet(&field);
        assert_eq!(labels.len(), 19, "{labels:?}");
        for (area, activities) in ACTIVITIES {
            activities.iter().for_each(|name| assert!(!activity(&log, area, name).is_empty(), "{name}"));
        }
        either(&log, &field, &log.value("action", "Creating users"), &log.value("action", "Deleting users"));
    } shown
    o_24 "Filter: Target" => |log| {
        let field = heading(&log, "Target");
        let types = either(&log, &field, &log.value(&field, "User"), &log.value(&field, "Reports"));
        assert!(types < log.events("").len());
    } shown
    o_25 "Filter: Users" => |log| {
        let field = heading(&log, "Users");
        either(&log, &field, &log.value(&field, "Sarah Khan"), &log.value(&field, "Bill Hart"));
    } shown
    o_26 "Filter: Countries" => |log| {
        let field = heading(&log, "Countries");
        let countries: BTreeSet<String> = log.facet(&field).into_iter().map(|(value, _)| value).collect();
        assert_eq!(countries, BTreeSet::from(["DE", "FR", "GB", "US"].map(str::to_owned)));
        either(&log, &field, "GB", "FR");
        assert!(log.events(&format!("{field}=FR")).iter().all(|event| event["context"]["ip"] == "192.0.2.80"));
    } shown
    o_27 "Columns can be chosen" => |log| {
        assert_eq!(log.header(), ["Area", "Activity", "Target", "User", "IP address", "Country", "Timestamp"]);
        let file = log.get("events.csv?labels=true&columns=timestamp,user");
        assert_eq!(file.text().lines().next(), Some("Timestamp,User"));
    } shown
    o_28 "Filters combine" => |log| {
        let filters = ["area=authentication", "actor_type=anonymous", "country=US", "q=bill", "result=failure"];
        let together = log.events(&filters.join("&"));
        assert_eq!(together.len(), 2);
        let wider: Vec<usize> = filters[..4].iter().map(|one| log.events(one).len()).collect();
        assert!(wider.iter().all(|count| *count > 2), "{wider:?}");
    }

    o_29 "Column Area: where in the platform it happened" => |log| {
        let areas: BTreeSet<String> = log.table("").iter().map(|row| row["Area"].clone()).collect();
        assert_eq!(areas, ACTIVITIES.map(|(area, _)| area.to_owned()).into());
    }
    o_30 "Column Activity: the specific action, such as Added permissions, admin, export" => |log| {
        assert!(cells(&log, USERS, "Adding permissions", "Activity").contains("Added permissions, admin, export"));
    }
    o_31 "Column Target: the user or component acted upon" => |log| {
        assert!(cells(&log, USERS, "Adding permissions", "Target").contains("Bill Hart"));
        assert!(cells(&log, REPORTING, "Data export requested", "Target").contains("Cohort"));
    }
    o_32 "Column User: who did it; Sarah gives Bill the permission 'can export data'" => |log| {
        let rows = log.table("q=%22can%20export%20data%22");
        assert_eq!(rows.len(), 1);
        assert_eq!((&*rows[0]["User"], &*rows[0]["Target"]), ("sarah@fashion.example", "Bill Hart"));
        assert_eq!(rows[0]["Activity"], "Added permissions, can export data");
    }
    o_33 "Column IP address" => |log| {
        assert_eq!(cells(&log, KEYS, "Revoked an API key", "IP address"), BTreeSet::from(["203.0.113.24".into()]));
    }
    o_34 "Column Country: of the IP address" => |log| {
        assert_eq!(cells(&log, KEYS, "Revoked an API key", "Country"), BTreeSet::from(["GB".into()]));
        assert_eq!(cells(&log, AUTHENTICATION, "Failing password", "Country"), BTreeSet::from(["US".into()]));
    }
    o_35 "Column Timestamp: in UTC" => |log| {
        let day = days_ago(1)[..10].to_owned();
        let event = json!({"action": "user.logged_in", "actor": {"id": "u_0"}, "occurred_at": format!("{day}T09:14:07.482+02:00")});
        log.sent(&event);
        assert_eq!(log.table("actor=u_0")[0]["Timestamp"], format!("{day}T07:14:07.482Z"));
    }
    o_36 "Target type User: the user affected" => |log| {
        let user = log.value("target_type", "User");
        for name in ["Adding permissions", "Removing permissions"] {
            let all = activity(&log, USERS, name);
            assert_eq!(log.events(&format!("target_type={user}&{}", choice(&log, USERS, name))), all);
        }
    }
    o_37 "Target type Reports: the report generated or downloaded" => |log| {
        let reports = log.events(&format!("target_type={}", log.value("target_type", "Reports")));
        assert!(reports.iter().all(|event| event["area"] == "reporting"));
        let names: BTreeSet<&str> = reports.iter().map(|event| event["targets"][0]["name"].as_str().unwrap()).collect();
        assert_eq!(names, BTreeSet::from(["Cohort", "Kpis", "Products"]));
    }

    o_38 "Logging-in" => |log| {
        let events = activity(&log, AUTHENTICATION, "Logging-in");
        assert!(events.iter().all(|event| event["result"] == "success" && event["actor"]["id"].is_string()));
        assert_eq!(cells(&log, AUTHENTICATION, "Logging-in", "Activity"), BTreeSet::from(["Logging-in".into()]));
    }
    o_39 "Resetting password: the link on the login page, so nobody is signed in" => |log| {
        assert_eq!(activity(&log, AUTHENTICATION, "Resetting password")[0]["actor"]["type"], "anonymous");
        let rows = shown(&log, AUTHENTICATION, "Resetting password");
        assert_eq!((&*rows[0]["User"], &*rows[0]["Target"]), ("Not signed in", "bill@fashion.example"));
    }
    o_40 "Failing password: a failure of somebody who is not signed in" => |log| {
        for event in activity(&log, AUTHENTICATION, "Failing password") {
            assert_eq!((&event["result"], &event["actor"]["type"]), (&json!("failure"), &json!("anonymous")));
            assert_eq!((&event["actor"]["id"], &event["security"]), (&Value::Null, &json!(true)));
        }
        let rows = shown(&log, AUTHENTICATION, "Failing password");
        assert_eq!((&*rows[0]["User"], &*rows[0]["Target"]), ("Not signed in", "bill@fashion.example"));
    }
    o_41 "Changing user password" => |log| {
        for event in activity(&log, AUTHENTICATION, "Changing user password") {
            assert_eq!(event["actor"]["id"], event["targets"][0]["id"], "one's own");
        }
    }
    o_42 "Requesting password reset link, on the reset page" => |log| {
        let label = "Requesting password reset link (Authentication)";
        let action = log.value("action", label);
        assert!(log.events(&format!("action={action}")).iter().all(|event| event["area"] == "authentication"));
        assert_eq!(activity(&log, AUTHENTICATION, "Requesting password reset link")[0]["action"], action);
    }
    o_43 "Creating users" => |log| {
        let event = &activity(&log, USERS, "Creating users")[0];
        assert_eq!((&event["action_type"], &event["targets"][0]["name"]), (&json!("create"), &json!("Mia Laurent")));
    }
    o_44 "Deleting users" => |log| {
        let event = &activity(&log, USERS, "Deleting users")[0];
        assert_eq!((&event["action_type"], &event["targets"][0]["name"]), (&json!("delete"), &json!("Tom Eriksen")));
    }
    o_45 "Adding permissions, to another user" => |log| {
        let action = log.value("action", "Adding permissions");
        let added = log.sent(&with_metadata(&action, &json!({"permissions": ["admin", "export"]})));
        assert_eq!(added["description"], "Added permissions, admin, export");
        for incomplete in [json!({}), json!({"permissions": []}), json!({"permissions": "admin"}), json!({"permissions": ["admin"], "colour": "red"})] {
            let faults = log.faults(&with_metadata(&action, &incomplete));
            assert!(faults.iter().all(|pointer| pointer.starts_with("/metadata")), "{incomplete}: {faults:?}");
        }
        assert!(activity(&log, USERS, "Adding permissions").iter().all(|event| event["actor"]["id"] != event["targets"][0]["id"]));
    }
    o_46 "Removing permissions, from another user" => |log| {
        let event = &activity(&log, USERS, "Removing permissions")[0];
        assert_eq!(event["description"], "Removed permissions, admin");
        assert_eq!((&event["changes"][0]["before"], &event["changes"][0]["after"]), (&json!(["admin", "export"]), &json!(["export"])));
    }
    o_47 "Requesting password reset link, for another user: the area tells it from the other of that name" => |log| {
        let [own, others] = [AUTHENTICATION, USERS].map(|area| activity(&log, area, "Requesting password reset link"));
        assert_ne!(own[0]["action"], others[0]["action"]);
        assert_eq!(others.len(), 1);
        assert_eq!((&others[0]["actor"]["name"], &others[0]["targets"][0]["name"]), (&json!("Sarah Khan"), &json!("Mia Laurent")));
        let labels: BTreeSet<String> = log.facet("action").into_iter().map(|(_, label)| label).collect();
        assert!(labels.contains("Requesting password reset link (Users and permissions)"), "{labels:?}");
    }
    o_48 "Data export requested" => |log| {
        let events = activity(&log, REPORTING, "Data export requested");
        assert!(events.iter().all(|event| event["action_type"] == "export" && event["security"] == true));
    }
    o_49 "Data export downloaded: a report that the same user generated" => |log| {
        let downloaded = &activity(&log, REPORTING, "Data export downloaded")[0];
        let [actor, report] = [&downloaded["actor"]["id"], &downloaded["targets"][0]["id"]].map(|id| id.as_str().unwrap());
        let both = log.events(&format!("actor={actor}&target={report}"));
        let actions: Vec<&str> = both.iter().map(|event| event["action"].as_str().unwrap()).collect();
        let named = ["Data export downloaded", "Data export requested"].map(|name| log.value("action", name));
        assert_eq!(actions, named);
    }
    o_50 "Created an API key, with the key's name" => |log| {
        let activities = cells(&log, KEYS, "Created an API key", "Activity");
        assert_eq!(activities, BTreeSet::from(["Created an API key, Magento 2 integration".into()]));
    }
    o_51 "Viewed an API key: reading a secret is recorded and seen" => |log| {
        let event = &activity(&log, KEYS, "Viewed an API key")[0];
        assert_eq!((&event["action_type"], &event["security"]), (&json!("read"), &json!(true)));
        assert!(log.events("").contains(event));
        assert_eq!(log.policy()["hide_reads"], false, "nor does the screen hide it");
        assert_eq!(log.value("action_type", "View"), "read");
    }
    o_52 "Revoked an API key" => |log| {
        let activities = cells(&log, KEYS, "Revoked an API key", "Activity");
        assert_eq!(activities, BTreeSet::from(["Revoked an API key, Old newsletter import".into()]));
    }
    o_53 "Created custom field" => |log| {
        let wanted = ["Created custom field, contact", "Created custom field, order"].map(str::to_owned);
        assert_eq!(cells(&log, FIELDS, "Created custom field", "Activity"), BTreeSet::from(wanted));
    }
    o_54 "Custom field archived" => |log| {
        let wanted = BTreeSet::from(["Custom field archived, order".into()]);
        assert_eq!(cells(&log, FIELDS, "Custom field archived", "Activity"), wanted);
    }
    o_55 "Custom field unarchived" => |log| {
        let wanted = BTreeSet::from(["Custom field unarchived, order".into()]);
        assert_eq!(cells(&log, FIELDS, "Custom field unarchived", "Activity"), wanted);
    }
    o_56 "The category of the field, contact or order, is in the event" => |log| {
        for name in ["Created custom field", "Custom field archived", "Custom field unarchived"] {
            let action = log.value("action", name);
            for category in ["contact", "order"] {
                assert_eq!(log.sent(&with_metadata(&action, &json!({"category": category})))["metadata"]["category"], category);
            }
            for wrong in [json!({"category": "product"}), json!({})] {
                let faults = log.faults(&with_metadata(&action, &wrong));
                assert!(faults.iter().all(|pointer| pointer.starts_with("/metadata")), "{name}: {faults:?}");
            }
        }
        assert_eq!(log.events("metadata.category=order").len(), 6, "three examples, three of these");
    }
    o_57 "Frequency capping modified: the limits per day and per week" => |log| {
        let event = activity(&log, CAPPING, "Frequency capping modified").remove(0);
        let changes = event["changes"].as_array().unwrap();
        let limits: Vec<Value> = changes.iter().map(|change| json!([change["field"], change["before"], change["after"]])).collect();
        assert_eq!(limits, [json!(["messages_per_day", 2, 1]), json!(["messages_per_week", 7, 4])]);
        assert_eq!(log.events("changed=messages_per_week"), [event]);
    }
}
