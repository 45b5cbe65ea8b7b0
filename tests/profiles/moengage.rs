//! MoEngage's audit logs: five families of events, 90 days, for admins.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    log::{Log, ORGANIZATION, days_ago, texts},
    rows,
};

/// The columns, as the page has them.
const COLUMNS: [&str; 7] = ["Time", "Team", "Entity", "Activity", "Action", "Actor", "IP"];

/// The events of an event type, as its filter finds them; there are some.
fn of_type(log: &Log, event_type: &str) -> Vec<Value> {
    let events = log.events(&format!("action={}", log.value("action", event_type)));
    assert!(!events.is_empty(), "{event_type}");
    events
}

/// What a column has in the rows that a query finds, once each.
fn cells(log: &Log, column: &str, query: &str) -> BTreeSet<String> {
    log.table(query).iter().map(|row| row[column].clone()).collect()
}

/// The words of a list as a set.
fn set<const COUNT: usize>(words: [&str; COUNT]) -> BTreeSet<String> {
    words.map(str::to_owned).into()
}

/// The field behind a filter's heading.
fn heading(log: &Log, heading: &str) -> String {
    let filters = log.policy()["filters"].as_array().unwrap().clone();
    let filter = filters.iter().find(|filter| filter["label"] == heading);
    filter.unwrap()["field"].as_str().unwrap().to_owned()
}

rows! { "moengage";
    m_1 "A central trail of all activities for the account" => |log| {
        let families = cells(&log, "Entity", "");
        assert!(families.len() >= 6, "{families:?}");
        assert_eq!(log.json("events/count?-action=trailbook.*")["count"], log.events("").len());
        assert!(log.events("").iter().all(|event| event["organization"] == ORGANIZATION));
    }
    m_2 "Users logging in to the account" => |log| {
        let logins = of_type(&log, "User logged in");
        assert_eq!(logins.len(), 3);
        assert!(logins.iter().all(|event| event["actor"]["email"].is_string() && event["result"] == "success"));
    }
    m_3 "Users making changes to the account" => |log| {
        let change = of_type(&log, "Role changed").remove(0)["changes"][0].clone();
        assert_eq!(change, json!({"field": "role", "before": "analyst", "after": "manager"}));
        for (family, field) in [("Team updated", "members"), ("2-factor authentication updated", "required"), ("SSO updated", "provider")] {
            let action = log.value("action", family);
            assert!(!log.events(&format!("action={action}&changed={field}")).is_empty(), "{family}");
        }
    }
    m_4 "Users invited to the account" => |log| {
        assert_eq!(of_type(&log, "User invited").len(), 2);
        let wanted = set(["Invited elif@travel.example to the account", "Invited noah@travel.example to the account"]);
        assert_eq!(cells(&log, "Activity", &format!("action={}", log.value("action", "User invited"))), wanted);
    }
    m_5 "Five families: teams, invitations, roles, 2-factor authentication and SSO" => |log| {
        let areas: BTreeSet<String> = log.facet("area").into_iter().map(|(_, label)| label).collect();
        let families = set(["Team", "Invitation", "Role", "2-factor authentication", "SSO"]);
        assert!(areas.is_superset(&families), "{areas:?}");
        let note = log.policy()["coverage_note"].as_str().unwrap().to_lowercase();
        for family in ["team", "invitation", "role", "2-factor authentication", "sso"] {
            assert!(note.contains(family), "{family}: {note}");
        }
    }
    m_6 "Tracking starts when the log is enabled for the account" => |log| {
        let enabled = json!({"policy": {"recorded_since": days_ago(10)}});
        let answer = log.server.put(&format!("/v1/organizations/{ORGANIZATION}"), &enabled);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let at = |time: String| json!({"action": "user.logged_in", "actor": {"id": "u_0"}, "occurred_at": time});
        assert_eq!(log.faults(&at(days_ago(11))), ["/occurred_at"]);
        assert_eq!(log.send(&at(days_ago(9))).status, 201);
    }
    m_7 "Viewed and downloaded by admins only" => |log| {
        for path in ["events", "events.csv", "events/facets?field=actor"] {
            assert_eq!(log.get_as("admin", &[], path).status, 200, "{path}");
            for role in ["manager", "analyst", "owner", "administrator"] {
                assert_eq!(log.get_as(role, &["admin"], path).status, 403, "{role} {path}");
            }
        }
    }
    m_8 "Found under Settings >> Audit Logs, as a table" => |log| {
        let policy = log.policy();
        assert_eq!(texts(&policy["breadcrumb"]), ["Settings", "Audit Logs"]);
        assert_eq!(log.header(), COLUMNS);
    } shown
    m_9 "Filters take effect on Apply" => shown
    m_10 "Filter: event type" => |log| {
        let field = heading(&log, "Event type");
        let [created, deleted] = ["Team created", "Team deleted"].map(|name| log.value(&field, name));
        assert_eq!(cells(&log, "Entity", &format!("{field}={created}&{field}={deleted}")), set(["Team"]));
        assert_eq!(log.events(&format!("{field}={created}&{field}={deleted}")).len(), 2);
    } shown
    m_11 "Filter: user" => |log| {
        let field = heading(&log, "User");
        let elif = log.value(&field, "Elif Demir");
        assert_eq!(cells(&log, "Actor", &format!("{field}={elif}")), set(["elif@travel.example"]));
    } shown
    m_12 "Filter: date range" => |log| {
        let sso = log.event("action=sso.updated")["occurred_at"].as_str().unwrap().to_owned();
        assert_eq!(log.events(&format!("from={sso}&to={}", days_ago(15))), of_type(&log, "SSO updated"));
        assert!(log.events(&format!("to={sso}")).iter().all(|event| event["occurred_at"].as_str() < Some(&sso)));
    } shown
    m_13 "Cannot be modified by any user, nor by the vendor" => |log| {
        let event = log.event("action=team.deleted");
        let path = format!("/v1/organizations/{ORGANIZATION}/events/{}", event["id"].as_str().unwrap());
        let vendor = format!("Bearer {}", crate::server::ROOT_KEY);
        let admin = format!("Bearer {}", log.token("admin", &[]));
        for authorization in [&vendor, &admin] {
            let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
            for method in ["PUT", "PATCH", "DELETE"] {
                assert_eq!(log.server.send(method, &path, &headers, b"{}").status, 405, "{method}");
            }
            let redaction = br#"{"parts": ["actor"], "reason": "asked for"}"#;
            assert_eq!(log.server.send("POST", &format!("{path}/redaction"), &headers, redaction).status, 403);
        }
        assert_eq!(log.event("action=team.deleted"), event);
        log.server.assert_evidence(ORGANIZATION, "");
    }
    m_14 "Column Time: the exact time" => |log| {
        let time = format!("{}T09:14:07.482Z", &days_ago(1)[..10]);
        log.sent(&json!({"action": "user.logged_in", "actor": {"id": "u_0"}, "occurred_at": time}));
        assert_eq!(cells(&log, "Time", "actor=u_0"), BTreeSet::from([time]));
    }
    m_15 "Column Team: the team of who did it" => |log| {
        assert_eq!(cells(&log, "Team", "actor=elif@travel.example"), set(["Lifecycle"]));
        assert_eq!(cells(&log, "Actor", "team=lifecycle"), set(["elif@travel.example"]));
    }
    m_16 "Column Entity: the category of the event" => |log| {
        assert_eq!(cells(&log, "Entity", "action=two_factor.updated"), set(["2-factor authentication"]));
        assert_eq!(cells(&log, "Entity", "action=team.*"), set(["Team"]));
    }
    m_17 "Column Activity: a description" => |log| {
        let wanted = set(["Changed the role of elif@travel.example from analyst to manager"]);
        assert_eq!(cells(&log, "Activity", "action=user.role.changed"), wanted);
    }
    m_18 "Column Action: Create, Update, Delete or Export" => |log| {
        let actions = cells(&log, "Action", "-action=user.logged_in");
        assert_eq!(actions, set(["Create", "Update", "Delete", "Export"]));
    }
    m_19 "Column Actor: the user's e-mail address" => |log| {
        let wanted = set(["elif@travel.example", "jonas@travel.example", "priya@travel.example"]);
        assert_eq!(cells(&log, "Actor", ""), wanted);
    }
    m_20 "Column IP" => |log| {
        assert_eq!(cells(&log, "IP", "actor=priya@travel.example"), set(["203.0.113.40"]));
        assert!(cells(&log, "IP", "actor=jonas@travel.example").contains("2001:db8:9::2"));
    }
    m_21 "A button Export Audit Logs" => |log| {
        assert_eq!(log.policy()["labels"]["screen"]["export"], "Export Audit Logs");
    } shown
    m_22 "The export has what the filters leave, all without filters" => |log| {
        let invited = log.value("action", "User invited");
        let filters = format!("action={invited}&actor=elif@travel.example&from={}", days_ago(30));
        let rows = log.table(&filters);
        assert_eq!(rows.len(), log.events(&filters).len());
        assert_eq!(rows[0]["Activity"], "Invited noah@travel.example to the account");
        assert_eq!(log.table("").len(), log.events("").len());
    } shown
    m_23 "The CSV comes by e-mail" => |log| {
        let file = log.get_as("admin", &[], "events.csv?labels=true");
        assert_eq!(file.headers["content-type"].split(';').next(), Some("text/csv"));
        assert_eq!(file.text().lines().next(), Some(COLUMNS.join(",").as_str()));
    } outside "test_mail::test_the_admin_gets_the_filtered_csv_by_mail_with_a_link_and_the_file"
    m_24 "A confirmation on the screen" => shown
    m_25 "Available for the last 90 days" => |log| {
        let event = log.sent(&json!({"action": "user.logged_in", "actor": {"id": "u_0"}}));
        assert_eq!(log.kept_days(&event), Some(90));
        let page = log.json(&format!("events?from={}", days_ago(100)));
        assert_eq!(page["warnings"][0]["code"], "beyond_retention");
        let within = log.json(&format!("events?from={}", days_ago(89)));
        assert_eq!(within["warnings"], json!([]));
    }
    m_26 "Creating, deleting, updating and exporting, in each row" => |log| {
        for (event_type, action) in [("Team created", "Create"), ("Team deleted", "Delete"), ("Team updated", "Update"), ("Data exported", "Export")] {
            let query = format!("action={}", log.value("action", event_type));
            assert_eq!(cells(&log, "Action", &query), set([action]), "{event_type}");
            let filtered = format!("action_type={}", log.value("action_type", action));
            assert!(!log.events(&format!("{query}&{filtered}")).is_empty(), "{event_type}");
        }
    }
    m_27 "Was this helpful?" => |log| {
        assert!(log.policy()["feedback_url"].as_str().unwrap().starts_with("https://"));
    } shown
}
