//! A contact and learning platform's "Audit Log Report": contacts, groups and user profiles, for those with the permission.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    log::{Log, ORGANIZATION, days_ago, texts},
    rows,
};

/// The groups of what can be monitored, as the page has them.
const GROUPS: [&str; 3] = [
    "Contact Profile Changes",
    "Contact Creation and Contact Exports",
    "User Profile Updates",
];

/// The permission that opens the report.
const PERMISSION: &str = "audit_log_report";

/// The events of a kind within a group, as its filters find them; there are some.
fn logged(log: &Log, group: &str, event: &str) -> Vec<Value> {
    let events = log.events(&query(log, group, event));
    assert!(!events.is_empty(), "{group}: {event}");
    events
}

/// The rows of a kind within a group.
fn shown(log: &Log, group: &str, event: &str) -> Vec<BTreeMap<String, String>> {
    log.table(&query(log, group, event))
}

fn query(log: &Log, group: &str, event: &str) -> String {
    format!(
        "area={}&action={}",
        log.value("area", group),
        log.value("action", event)
    )
}

/// Who did it, to what, and by which kind of action.
fn deed(event: &Value) -> (&str, &str, &str) {
    (
        event["actor"]["name"].as_str().unwrap(),
        event["targets"][0]["name"].as_str().unwrap(),
        event["action_type"].as_str().unwrap(),
    )
}

/// The only change of a field of a user profile, before and after.
fn change(log: &Log, field: &str) -> (Value, Value) {
    let area = log.value("area", GROUPS[2]);
    let event = log.event(&format!("area={area}&changed={field}"));
    let change = event["changes"][0].clone();
    assert_eq!(change["field"], field);
    (change["before"].clone(), change["after"].clone())
}

rows! { "audit-log-report";
    r_1 "A report with a comprehensive trail of user actions" => |log| {
        let policy = log.policy();
        assert_eq!(policy["title"], "Audit Log Report");
        let groups: BTreeSet<String> = log.facet("area").into_iter().map(|(_, label)| label).collect();
        assert_eq!(groups, GROUPS.map(str::to_owned).into());
    }
    r_2 "All edits of contacts" => |log| {
        for (group, event) in [(GROUPS[0], "Contact profile changed"), (GROUPS[1], "Contact profiles updated")] {
            let edits = logged(&log, group, event);
            assert!(edits.iter().all(|edit| edit["targets"][0]["type"] == "contact" && edit["changes"][0]["field"].is_string()));
        }
    }
    r_3 "Contacts created by hand" => |log| {
        let created = logged(&log, GROUPS[1], "Contact created");
        assert_eq!(created[0]["description"], "Created the contact Amara Osei by hand");
    }
    r_4 "Changes of user profiles" => |log| {
        let events = log.events(&format!("area={}", log.value("area", GROUPS[2])));
        assert_eq!(events.len(), 5);
        assert!(events.iter().all(|event| event["targets"][0]["type"] == "user"));
    }
    r_5 "Unauthorized actions can be detected" => |log| {
        // Every kind of event of the page matters for security, and somebody who should not act is found by name.
        assert_eq!(log.events("security=true").len(), log.events("").len());
        let leo = log.events("actor=leo@academy.example&action_type=delete");
        assert_eq!(leo.len(), 1);
        assert_eq!(leo[0]["targets"][0]["name"], "Petr Novak");
    }
    r_6 "Compliance: the log can be handed to an auditor as evidence" => |log| {
        log.server.assert_evidence(ORGANIZATION, "");
    }
    r_7 "Accountability: there is no event without somebody who did it" => |log| {
        assert_eq!(log.faults(&json!({"action": "group.deleted", "targets": [{"type": "group", "id": "g_2"}]})), ["/actor"]);
        assert_eq!(log.faults(&json!({"action": "group.deleted", "actor": {"name": "Somebody"}})), ["/actor/id"]);
    }
    r_8 "Training oversight: what each user does" => |log| {
        let facets = log.json("events/facets?field=actor&-action=trailbook.*");
        let counts: BTreeMap<&str, u64> = facets["facets"]["actor"].as_array().unwrap().iter()
            .map(|value| (value["label"].as_str().unwrap(), value["count"].as_u64().unwrap())).collect();
        assert_eq!(counts, BTreeMap::from([("Grace Lindqvist", 5), ("Ines Costa", 4), ("Leo Martins", 4)]));
    }
    r_9 "Who changes what and when" => |log| {
        let rows = log.table("changed=phone&actor=ines@academy.example");
        let row = &rows[0];
        assert_eq!((&*row["User"], &*row["Contact, group or user"], &*row["Changed"]), ("Ines Costa", "Amara Osei", "phone"));
        // The apostrophe keeps a spreadsheet from running what begins with a plus.
        assert_eq!((&*row["Before"], &*row["After"]), ("'+44 20 7946 0018", "'+44 20 7946 0081"));
        assert!(Some(row["Time and date"].as_str()) > Some(&days_ago(22)));
    }
    r_10 "Contact profile changes: the user who made the change" => |log| {
        let users: BTreeSet<String> = shown(&log, GROUPS[0], "Contact profile changed").iter().map(|row| row["User"].clone()).collect();
        assert_eq!(users, BTreeSet::from(["Ines Costa", "Leo Martins"].map(str::to_owned)));
    }
    r_11 "Contact profile changes: time and date" => |log| {
        let time = days_ago(1);
        log.sent(&json!({"action": "contact.edited", "actor": {"id": "u_0"}, "occurred_at": time,
            "targets": [{"type": "contact", "id": "c_1"}]}));
        assert_eq!(log.table("actor=u_0")[0]["Time and date"], time);
    }
    r_12 "A contact profile was deleted" => |log| {
        let deleted = logged(&log, GROUPS[0], "Contact profile deleted");
        assert_eq!(deed(&deleted[0]), ("Leo Martins", "Petr Novak", "delete"));
    }
    r_13 "The user who created the contact" => |log| {
        assert_eq!(deed(&logged(&log, GROUPS[1], "Contact created")[0]), ("Leo Martins", "Amara Osei", "create"));
    }
    r_14 "The user who exported contact information" => |log| {
        let exported = logged(&log, GROUPS[1], "Contact information exported");
        assert_eq!(deed(&exported[0]), ("Ines Costa", "Spring intake", "export"));
    }
    r_15 "When the contact was entered" => |log| {
        let created = &logged(&log, GROUPS[1], "Contact created")[0];
        assert_eq!(shown(&log, GROUPS[1], "Contact created")[0]["Time and date"], created["occurred_at"]);
    }
    r_16 "The user who updated contact profiles" => |log| {
        let updated = logged(&log, GROUPS[1], "Contact profiles updated");
        assert_eq!(deed(&updated[0]), ("Leo Martins", "Petr Novak", "update"));
        let row = &shown(&log, GROUPS[1], "Contact profiles updated")[0];
        assert_eq!(row["Contact, group or user"], "Petr Novak, Amara Osei, Hana Suzuki");
        assert_eq!(log.events("target=c_2050"), updated, "each of them is found");
    }
    r_17 "The user who updated or deleted a group" => |log| {
        let [updated, deleted] = ["Group updated", "Group deleted"].map(|event| logged(&log, GROUPS[1], event));
        assert_eq!(deed(&updated[0]), ("Ines Costa", "Spring intake", "update"));
        assert_eq!(deed(&deleted[0]), ("Ines Costa", "Trial visitors", "delete"));
    }
    r_18 "Changes of name, email, role or permissions, before and after" => |log| {
        assert_eq!(change(&log, "name"), (json!("Ines Silva"), json!("Ines Costa")));
        assert_eq!(change(&log, "email"), (json!("ines.silva@academy.example"), json!("ines@academy.example")));
        assert_eq!(change(&log, "role"), (json!("Editor"), json!("Administrator")));
        let permissions = (json!(["contacts", "groups"]), json!([PERMISSION, "contacts", "groups"]));
        assert_eq!(change(&log, "permissions"), permissions);
        let rows = shown(&log, GROUPS[2], "User profile updated");
        let changed: BTreeSet<&str> = rows.iter().map(|row| row["Changed"].as_str()).collect();
        assert_eq!(changed, BTreeSet::from(["Email", "Name", "Permissions", "Role"]));
    }
    r_19 "The user who changed the user profile" => |log| {
        let rows = shown(&log, GROUPS[2], "User profile updated");
        assert!(rows.iter().all(|row| row["User"] == "Grace Lindqvist"), "{rows:?}");
    }
    r_20 "The user who deleted the user profile" => |log| {
        let deleted = logged(&log, GROUPS[2], "User profile deleted");
        assert_eq!(deed(&deleted[0]), ("Grace Lindqvist", "Leo Martins", "delete"));
    }
    r_21 "User profile updates: timestamps" => |log| {
        let area = format!("area={}", log.value("area", GROUPS[2]));
        let times: Vec<String> = log.table(&area).iter().map(|row| row["Time and date"].clone()).collect();
        let occurred: Vec<Value> = log.events(&area).iter().map(|event| event["occurred_at"].clone()).collect();
        assert_eq!(times, occurred);
    }
    r_22 "Found under Reports > Audit Log" => |log| {
        assert_eq!(texts(&log.policy()["breadcrumb"]), ["Reports", "Audit Log"]);
    } shown
    r_23 "Viewed in the dashboard" => |log| {
        let answer = log.get_as("editor", &[PERMISSION], "events");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(!answer.json()["events"].as_array().unwrap().is_empty());
    } shown
    r_24 "Exported as CSV, securely, with a button Export at the top right" => |log| {
        assert_eq!(log.get_as("editor", &[PERMISSION], "events.csv").status, 200);
        assert_eq!(log.get_as("editor", &[], "events.csv").status, 403);
        assert_eq!(log.policy()["labels"]["screen"]["export"], "Export");
        let recorded = log.json("events?action=trailbook.export.downloaded");
        assert_eq!(recorded["events"].as_array().unwrap().len(), 1, "who takes the log out is in the log");
    } shown
    r_25 "Seen only by users with the permission" => |log| {
        for role in ["owner", "administrator", "auditor", "system_administrator"] {
            assert_eq!(log.get_as(role, &[], "events").status, 403, "{role}");
        }
        let somebody = log.person("ines@academy.example", "editor", &[PERMISSION]);
        assert_eq!(log.get_by(&somebody, "events").status, 200);
        log.permit_person(&somebody, &[]);
        assert_eq!(log.get_by(&somebody, "events").status, 403, "the same session");
    } shown
    r_26 "Each group states why it matters for security" => |log| {
        let catalog = log.catalog();
        let why = |entry: &Value| entry["why"].as_str().unwrap_or_default().to_owned();
        let areas = catalog["areas"].as_array().unwrap();
        let of_group = |group: &str| why(areas.iter().find(|area| area["name"] == group).unwrap());
        assert!(of_group(GROUPS[0]).contains("tampered"), "prevents tampering and improper manipulation");
        assert!(of_group(GROUPS[1]).contains("authorized"), "detects unauthorized or unverified entries");
        assert!(of_group(GROUPS[2]).contains("role"), "protects identity records and access roles");
        assert_eq!(areas.len(), GROUPS.len());
    } shown
}
