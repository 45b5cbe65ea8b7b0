//! The rows of Capillary Intouch: user management, seen by organization owners alone, each action a security action or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
};

use serde_json::{Value, json};

use crate::{
    log::{Log, ORGANIZATION, beginning_of_day, days_ago, texts},
    rows,
    server::ROOT_KEY,
};

const OWNER: &str = "organization_owner";

/// The page's table: our id, the activity, its action type, whether it is a security event.
const ACTIVITIES: [(&str, &str, &str, bool); 19] = [
    (
        "user.standard.added",
        "Standard user added to organization",
        "Create",
        false,
    ),
    (
        "user.standard.removed",
        "Standard user removed from organization",
        "Delete",
        false,
    ),
    ("user.admin.added", "Organization owner or admin added", "Create", true),
    (
        "user.admin.removed",
        "Organization owner or admin removed",
        "Delete",
        true,
    ),
    (
        "user.type.changed_to_admin",
        "User type changed to organization owner or admin",
        "Update",
        true,
    ),
    (
        "user.type.changed_to_standard",
        "User type changed to standard user",
        "Update",
        true,
    ),
    (
        "user.standard.access_updated",
        "Standard user permissions or accessible entities updated",
        "Update",
        false,
    ),
    (
        "user.admin.access_updated",
        "Admin user permissions or accessible entities updated",
        "Update",
        true,
    ),
    ("permission_set.created", "Permission set created", "Create", false),
    ("permission_set.updated", "Permission set updated", "Update", false),
    ("permission_set.deleted", "Permission set deleted", "Delete", false),
    (
        "custom_permissions.created",
        "Custom permissions created",
        "Create",
        false,
    ),
    ("users.bulk_added", "Users added in bulk", "Create", false),
    (
        "users.bulk_updated.append",
        "Users updated in bulk (append mode)",
        "Update",
        false,
    ),
    (
        "users.bulk_updated.overwrite",
        "Users updated in bulk (overwrite mode)",
        "Update",
        false,
    ),
    (
        "invite_link.regenerated",
        "Invite link regenerated",
        "Invite link",
        false,
    ),
    ("user_list.exported", "User list exported", "Export", true),
    (
        "organization.user_visibility.updated",
        "Multiple organization user visibility configuration updated",
        "Update",
        true,
    ),
    (
        "organization.proxy_access.granted",
        "Proxy organization access granted",
        "Create",
        true,
    ),
];

/// An action of user management without anything that its catalog could say.
fn bare(action: &str) -> Value {
    json!({ "action": action, "actor": { "id": "u-1", "name": "Ananya Rao", "email": "ananya.rao@northwind.example" } })
}

/// A line of the page's table: the log names, classes and flags the activity as the page does, and has an example of it.
fn listed(log: &Log, activity: &str) {
    let (action, _, action_type, security) = *ACTIVITIES.iter().find(|line| line.1 == activity).unwrap();
    assert_eq!(log.value("action", activity), action);
    assert!(
        !log.events(&format!("action={action}")).is_empty(),
        "no example of {activity}"
    );
    let sent = log.sent(&bare(action));
    assert_eq!(sent["action_type"], log.value("action_type", action_type), "{activity}");
    assert_eq!(sent["security"], security, "{activity}");
    assert_eq!(sent["product"], "UserManagement");
    assert_eq!(sent["area"], log.value("area", "User Management"));
    assert!(
        !sent["description"].as_str().unwrap().is_empty(),
        "the short description of {activity}"
    );
}

/// The row of the table that shows an event.
fn row(log: &Log, query: &str) -> BTreeMap<String, String> {
    let mut rows = log.table(query);
    assert_eq!(rows.len(), 1, "{query}: {rows:?}");
    rows.remove(0)
}

/// The page's own example.
const MADE_OWNER: &str = "action=user.type.changed_to_admin";

/// The words of a button or a sentence, as readers are told them.
fn word(log: &Log, id: &str) -> String {
    log.policy()["labels"]["screen"][id]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// A field of the panel of one event has this label and shows this part of the event.
fn in_the_panel(log: &Log, label: &str, shown: &str) {
    let details = log.policy()["details"].clone();
    let field = details.as_array().unwrap().iter().find(|field| field["label"] == label);
    let field = field.unwrap_or_else(|| panic!("no {label} in {details}"));
    assert!(field["value"].as_str().unwrap().contains(shown), "{field}");
}

/// The filter of the panel with this label.
fn filter(log: &Log, label: &str) -> Value {
    let filters = log.policy()["filters"].clone();
    let found = filters
        .as_array()
        .unwrap()
        .iter()
        .find(|filter| filter["label"] == label);
    found.unwrap_or_else(|| panic!("no {label} in {filters}")).clone()
}

/// The count that the chip of a filter shows.
fn count(log: &Log, query: &str) -> u64 {
    log.json(&format!("events/count?-action=trailbook.*&{query}"))["count"]
        .as_u64()
        .unwrap()
}

/// The time zone of the organization, set by itself.
fn set_time_zone(log: &Log, zone: &str) {
    let path = format!("/v1/organizations/{ORGANIZATION}");
    let mut organization = log.server.get(&path).json();
    organization["policy"]["time_zone"] = json!(zone);
    let answer = log.server.put(&path, &json!({ "policy": organization["policy"] }));
    assert!(answer.status == 200, "{}", answer.text());
}

/// The next event of a live feed that is the product's own.
fn next_live(feed: &mut impl BufRead) -> Value {
    loop {
        let mut line = String::new();
        assert_ne!(feed.read_line(&mut line).unwrap(), 0, "the feed ended");
        if let Some(data) = line.strip_prefix("data: ") {
            return serde_json::from_str(data).unwrap();
        }
    }
}

rows! { "capillary-intouch";
    c_1 "A chronological record of user management actions, for organization owners" => |log| {
        let page = log.get_as(OWNER, &[], "events?area=user_management&limit=1000");
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        let times: Vec<&str> = page["events"].as_array().unwrap().iter().map(|event| event["occurred_at"].as_str().unwrap()).collect();
        assert!(times.len() >= ACTIVITIES.len() && times.is_sorted_by(|later, earlier| later >= earlier), "{times:?}");
    }
    c_2 "To find out who changed what and when" => |log| {
        let found = log.event("changed=user_type&q=owner");
        assert_eq!(found["actor"]["name"], "Ananya Rao");
        assert_eq!(found["targets"][0]["name"], "Bill Hart");
        assert_eq!(found["changes"], json!([{ "field": "user_type", "before": "standard_user", "after": "organization_owner" }]));
        assert!(found["occurred_at"].is_string());
    }
    c_3 "User management only; further product areas can come later" => |log| {
        let note = log.policy()["coverage_note"].as_str().unwrap().to_owned();
        assert!(["User Management", "Loyalty+", "Engage+", "Insights+"].iter().all(|area| note.contains(area)), "{note}");
        let mut event = bare("loyalty.tier.created");
        event["product"] = json!("Loyalty+");
        log.sent(&event);
        assert_eq!(log.event("product=Loyalty%2B")["action"], "loyalty.tier.created");
    }
    c_4 "Organization owners may look" => |log| {
        for path in ["events", "events/count", "events/facets?field=action", "events.csv"] {
            assert_eq!(log.get_as(OWNER, &[], path).status, 200, "{path}");
        }
    }
    c_5 "Administrators and standard users have no access" => |log| {
        let id = log.event(MADE_OWNER)["id"].as_str().unwrap().to_owned();
        let one = format!("events/{id}");
        for role in ["organization_admin", "standard_user"] {
            for path in ["events", "events/count", "events/facets?field=action", "events/histogram?interval=day", "events/live", "events.csv", "events.jsonl", &one] {
                assert_eq!(log.get_as(role, &[], path).status, 403, "{role} {path}");
            }
        }
    }
    c_6 "The role alone decides, no permission is needed or helps" => |log| {
        assert_eq!(log.get_as(OWNER, &[], "events").status, 200);
        for permission in ["audit_logs", "owner", OWNER, "view", "*"] {
            assert_eq!(log.get_as("organization_admin", &[permission], "events").status, 403, "{permission}");
        }
        let policy = log.policy();
        assert_eq!((&policy["view_permissions"], &policy["export_permissions"]), (&json!([]), &json!([])));
    }
    c_7 "Self serve, without a support ticket" => |log| {
        // Nothing was done to this server but to apply the profile.
        assert_eq!(log.get_as(OWNER, &[], "events").status, 200);
        assert!(!log.events("").is_empty());
    }
    c_8 "On for all organizations" => |log| {
        let mut event = bare("permission_set.created");
        event["organization"] = json!("outlet");
        assert_eq!(log.server.ingest(&event).status, 201);
        let page = log.server.get("/v1/organizations/outlet/events").json();
        assert_eq!(page["events"][0]["action"], "permission_set.created");
        let policy = log.server.get("/v1/organizations/outlet/policy").json();
        assert_eq!(policy["view_roles"], json!([OWNER]), "with the same rules");
    }
    c_9 "Where: Intouch > User Management > Audit Logs" => |log| {
        let policy = log.policy();
        assert_eq!(texts(&policy["breadcrumb"]).join(" > "), "Intouch > User Management > Audit Logs");
        assert_eq!(policy["title"], "Audit Logs");
    } shown

    c_10 "Standard user added to organization: Create" => |log| { listed(&log, "Standard user added to organization"); }
    c_11 "Standard user removed from organization: Delete" => |log| { listed(&log, "Standard user removed from organization"); }
    c_12 "Organization owner or admin added: Create, security" => |log| { listed(&log, "Organization owner or admin added"); }
    c_13 "Organization owner or admin removed: Delete, security" => |log| { listed(&log, "Organization owner or admin removed"); }
    c_14 "User type changed to organization owner or admin: Update, security" => |log| { listed(&log, "User type changed to organization owner or admin"); }
    c_15 "User type changed to standard user: Update, security" => |log| { listed(&log, "User type changed to standard user"); }
    c_16 "Standard user permissions or accessible entities updated: Update" => |log| { listed(&log, "Standard user permissions or accessible entities updated"); }
    c_17 "Admin user permissions or accessible entities updated: Update, security" => |log| { listed(&log, "Admin user permissions or accessible entities updated"); }
    c_18 "Permission set created: Create" => |log| { listed(&log, "Permission set created"); }
    c_19 "Permission set updated: Update" => |log| { listed(&log, "Permission set updated"); }
    c_20 "Permission set deleted: Delete" => |log| { listed(&log, "Permission set deleted"); }
    c_21 "Custom permissions created: Create" => |log| { listed(&log, "Custom permissions created"); }
    c_22 "Users added in bulk: Create" => |log| { listed(&log, "Users added in bulk"); }
    c_23 "Users updated in bulk (append mode): Update" => |log| { listed(&log, "Users updated in bulk (append mode)"); }
    c_24 "Users updated in bulk (overwrite mode): Update" => |log| { listed(&log, "Users updated in bulk (overwrite mode)"); }
    c_25 "Invite link regenerated: Invite link" => |log| { listed(&log, "Invite link regenerated"); }
    c_26 "User list exported: Export, security" => |log| { listed(&log, "User list exported"); }
    c_27 "Multiple organization user visibility configuration updated: Update, security" => |log| { listed(&log, "Multiple organization user visibility configuration updated"); }
    c_28 "Proxy organization access granted: Create, security" => |log| { listed(&log, "Proxy organization access granted"); }

    c_29 "The flag depends on whom the action is about; an event may say it itself" => |log| {
        let flagged = |event: &Value| log.sent(event)["security"].clone();
        assert_eq!(ACTIVITIES.iter().filter(|line| line.3).count(), 8, "the lines of the page that say Yes");
        assert!(ACTIVITIES.iter().all(|line| flagged(&bare(line.0)) == line.3));
        let with = |action: &str, member: &str, value: Value| {
            let mut event = bare(action);
            event[member] = value;
            event
        };
        assert_eq!(flagged(&with("users.bulk_added", "security", json!(true))), true);
        assert_eq!(flagged(&with("user_list.exported", "security", json!(false))), false);
        let of_an_owner = with("user.standard.removed", "metadata", json!({ "user_type": OWNER }));
        assert_eq!(log.faults(&of_an_owner), ["/metadata/user_type"], "an owner does not pass for a standard user");
    }
    c_30 "Security actions are those of high sensitivity" => |log| {
        let found: BTreeSet<String> = log.events("security=true").iter().map(|event| event["action"].as_str().unwrap().to_owned()).collect();
        for action in ["user.admin.added", "user.type.changed_to_admin", "user.admin.removed", "user_list.exported"] {
            assert!(found.contains(action), "{action} is not among {found:?}");
        }
        assert!(!found.contains("permission_set.created"));
    }
    c_31 "A row of the table has the tag Security action" => |log| {
        assert_eq!(row(&log, MADE_OWNER)["Security action"], "Security action");
        assert_eq!(row(&log, "action=permission_set.created")["Security action"], "");
    } shown
    c_32 "Invite link is an action type that the page's filter list lacks; ours comes from the data" => |log| {
        let invite_link = log.value("action_type", "Invite link");
        assert!(!texts(&filter(&log, "Activity")["values"]).contains(&invite_link));
        assert_eq!(log.event(&format!("action_type={invite_link}"))["action"], "invite_link.regenerated");
    }

    c_33 "A live feed of user activity" => |log| {
        let mut stream = log.server.connect();
        let path = format!("/v1/organizations/{ORGANIZATION}/events/live?-action=trailbook.*");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {ROOT_KEY}\r\n\r\n").unwrap();
        let mut feed = BufReader::new(stream);
        let mut line = String::new();
        while line.trim() != "retry: 2000" {
            line.clear();
            assert_ne!(feed.read_line(&mut line).unwrap(), 0, "the feed did not begin");
        }
        let sent = log.sent(&bare("permission_set.created"));
        assert_eq!(next_live(&mut feed)["id"], sent["id"]);
    } shown
    c_34 "Newest first" => |log| {
        log.sent(&bare("user_list.exported"));
        let events = log.events("");
        assert_eq!(events[0]["action"], "user_list.exported");
        let times: Vec<&str> = events.iter().map(|event| event["occurred_at"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|later, earlier| later >= earlier), "{times:?}");
    }
    c_35 "A date picker sets the range of dates" => |log| {
        let (from, to) = (days_ago(10), days_ago(4));
        let events = log.events(&format!("from={from}&to={to}"));
        assert!(!events.is_empty() && events.len() < log.events("").len());
        assert!(events.iter().all(|event| (&*from..&*to).contains(&event["occurred_at"].as_str().unwrap())));
    } shown
    c_36 "The filter icon opens Additional filters: activity type, user, security actions" => |log| {
        assert_eq!(word(&log, "filters"), "Additional filters");
        let fields: Vec<Value> = log.policy()["filters"].as_array().unwrap().iter().map(|filter| filter["field"].clone()).collect();
        assert_eq!(fields, ["action_type", "actor", "security"]);
    } shown
    c_37 "Export Logs: the full log or the filtered view as CSV" => |log| {
        assert_eq!(word(&log, "export"), "Export Logs");
        assert_eq!(log.table("").len(), log.events("").len());
        assert_eq!(log.table("security=true").len(), log.events("security=true").len());
        assert_eq!(log.get_as(OWNER, &[], "events.csv").status, 200);
    } shown
    c_38 "A chip for each filter; × removes it" => shown
    c_39 "Clear all removes all filters and shows the full view" => |log| {
        assert_eq!(word(&log, "clear_filters"), "Clear all");
    } shown
    c_40 "Date and Time is in the organization's time zone" => |log| {
        assert!(log.header().contains(&"Date and Time".to_owned()));
        set_time_zone(&log, "Asia/Kolkata");
        assert_eq!(log.policy()["time_zone"], "Asia/Kolkata");
        let utc = log.event(MADE_OWNER)["occurred_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let shown = row(&log, &format!("{MADE_OWNER}&time_zone=Asia/Kolkata"))["Date and Time"].clone();
        assert!(shown.ends_with("+05:30"), "{shown}");
        assert_eq!(shown.parse::<jiff::Timestamp>().unwrap(), utc);
        let days = log.json("events/histogram?interval=day")["buckets"].clone();
        let begins = days[0]["start"].as_str().unwrap();
        assert!(begins.ends_with("T18:30:00.000Z"), "a day begins when it does in Kolkata: {begins}");
    } shown
    c_41 "Activity: the action type and a short description" => |log| {
        assert_eq!(row(&log, MADE_OWNER)["Activity"], "Update — Made organization owner/admin");
        assert!(row(&log, "action=invite_link.regenerated")["Activity"].starts_with("Invite link — "));
    }
    c_42 "Entity: the user or object, with its type and product area" => |log| {
        assert_eq!(row(&log, MADE_OWNER)["Entity"], "Bill Hart · User · UserManagement");
        assert_eq!(row(&log, "action=permission_set.created")["Entity"], "Store reports · Permission set · UserManagement");
    }
    c_43 "Performed By: name and e-mail address" => |log| {
        assert_eq!(row(&log, MADE_OWNER)["Performed By"], "Ananya Rao · ananya.rao@northwind.example");
    }
    c_44 "The Security action tag is a column" => |log| {
        assert_eq!(log.header(), ["Date and Time", "Activity", "Entity", "Performed By", "Security action"]);
        let tagged = log.table("").iter().filter(|row| row["Security action"] == "Security action").count();
        assert_eq!(tagged, log.events("security=true").len());
    }

    c_45 "All filters can be applied together" => |log| {
        let query = format!("action_type=update&actor=ananya.rao@northwind.example&security=true&from={}", days_ago(7));
        let found = log.events(&query);
        let actions: Vec<&str> = found.iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["user.type.changed_to_admin", "user.admin.access_updated"]);
    }
    c_46 "A start and an end date are chosen" => |log| {
        assert_eq!(texts(&log.policy()["presets"]), ["custom"]);
        let (start, end) = (beginning_of_day(6), beginning_of_day(2));
        let found = log.events(&format!("from={start}&to={end}"));
        assert!(!found.is_empty());
        assert!(found.iter().all(|event| (&*start..&*end).contains(&event["occurred_at"].as_str().unwrap())));
    } shown
    c_47 "A range is no longer than 30 days" => |log| {
        let range = |days: i64| log.get(&format!("events?from={}&to={}", beginning_of_day(days + 5), beginning_of_day(5)));
        assert_eq!(range(30).status, 200);
        let refused = range(31);
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains("at most 30"), "{}", refused.text());
    }
    c_48 "Kept 90 days; a range beyond warns and returns what there is" => |log| {
        assert_eq!(log.policy()["retention_days"], 90);
        let page = log.json(&format!("events?from={}&to={}", days_ago(91), days_ago(62)));
        assert_eq!(page["warnings"][0]["code"], "beyond_retention");
        assert!(page["warnings"][0]["detail"].as_str().unwrap().contains("90 days"), "{}", page["warnings"]);
        assert_eq!(page["events"].as_array().unwrap().len(), 1, "what is left of it");
        let within = log.json(&format!("events?from={}&to={}", days_ago(89), days_ago(62)));
        assert_eq!(within["warnings"].as_array().map_or(0, Vec::len), 0);
    }
    c_49 "Activity filter: Create, Update, Delete, View, Approve, Export, Login" => |log| {
        let labels = log.policy()["labels"]["values"]["action_type"].clone();
        let offered = texts(&filter(&log, "Activity")["values"]);
        let words: Vec<&str> = offered.iter().map(|value| labels[value].as_str().unwrap()).collect();
        assert_eq!(words, ["Create", "Update", "Delete", "View", "Approve", "Export", "Login"]);
        let listed: BTreeSet<String> = log.facet("action_type").into_iter().map(|(_, label)| label).collect();
        assert!(words.iter().all(|word| listed.contains(*word)), "{listed:?}");
        assert!(log.events("action_type=create").iter().all(|event| event["action_type"] == "create"));
    }
    c_50 "User filter: search and select by e-mail address" => |log| {
        assert_eq!(filter(&log, "User")["field"], "actor");
        let facets = log.json("events/facets?field=actor&actor=jonas.weber@*");
        let users = facets["facets"]["actor"].as_array().unwrap().clone();
        assert_eq!(users.len(), 1, "{users:?}");
        assert_eq!(users[0]["label"], "Jonas Weber");
        let chosen = log.events(&format!("actor={}", users[0]["value"].as_str().unwrap()));
        assert!(!chosen.is_empty() && chosen.iter().all(|event| event["actor"]["email"] == "jonas.weber@northwind.example"));
    }
    c_51 "Show only security actions" => |log| {
        assert_eq!(filter(&log, "Show only security actions")["field"], "security");
        let found = log.events("security=true");
        assert!(!found.is_empty() && found.iter().all(|event| event["security"] == true));
    } shown
    c_52 "Apply refreshes the table" => |log| {
        assert_eq!(word(&log, "apply"), "Apply");
    } shown
    c_53 "Clear all resets the filters" => |log| {
        assert_eq!(word(&log, "clear_filters"), "Clear all");
        assert!(log.events("").len() > log.events("security=true").len());
    } shown
    c_54 "With security only, the table has only those, and the filter is a chip" => |log| {
        let rows = log.table("security=true");
        assert!(!rows.is_empty() && rows.iter().all(|row| row["Security action"] == "Security action"));
    } shown
    c_55 "The chip of an activity filter shows the count of results" => |log| {
        let updates = log.events("action_type=update").len() as u64;
        assert!(updates > 0 && updates < count(&log, ""));
        assert_eq!(count(&log, "action_type=update"), updates);
    } shown

    c_56 "Selecting a row opens Activity Details" => |log| {
        assert_eq!(word(&log, "details"), "Activity Details");
    } shown
    c_57 "Details: activity type and description" => |log| {
        in_the_panel(&log, "Activity type and description", "{action_type} — {description}");
        assert_eq!(row(&log, MADE_OWNER)["Activity"], "Update — Made organization owner/admin", "what the same template writes in the table");
    } shown
    c_58 "Details: date and time" => |log| { in_the_panel(&log, "Date and Time", "{occurred_at}"); } shown
    c_59 "Details: performed by, name and e-mail" => |log| {
        in_the_panel(&log, "Performed By", "{actor.name}");
        in_the_panel(&log, "Performed By", "{actor.email}");
    } shown
    c_60 "Details: entity" => |log| { in_the_panel(&log, "Entity", "{targets.name"); } shown
    c_61 "Details: product, such as UserManagement" => |log| {
        in_the_panel(&log, "Product", "{product}");
        assert_eq!(log.event(MADE_OWNER)["product"], "UserManagement");
    } shown
    c_62 "Details: a unique Log ID to share with support" => |log| {
        in_the_panel(&log, "Log ID", "{id}");
        let events = log.events("");
        let ids: BTreeSet<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), events.len());
        assert_eq!(log.json(&format!("events/{}", events[3]["id"].as_str().unwrap())), events[3]);
    } shown
    c_63 "Activity Details (JSON): the complete record" => |log| {
        assert_eq!(word(&log, "record"), "Activity Details (JSON)");
        let event = bare("permission_set.created").as_object().unwrap().clone();
        let sent = log.sent(&json!(event));
        assert!(event.iter().all(|(member, value)| match value.as_object() {
            None => sent[member] == *value,
            Some(parts) => parts.iter().all(|(part, value)| sent[member][part] == *value),
        }), "{sent}");
    } shown
    c_64 "In the record: the trace ID" => |log| {
        let event = log.event("action=user.standard.added");
        let trace = event["trace_id"].as_str().unwrap();
        assert_eq!(log.events(&format!("trace_id={trace}")).len(), 2, "both actions of that request");
        assert_eq!(log.policy()["labels"]["fields"]["trace_id"], "Trace ID");
    }
    c_65 "In the record: the product" => |log| {
        assert!(log.events("").iter().all(|event| event["product"] == "UserManagement"));
    }
    c_66 "In the record: the actor's details" => |log| {
        let actor = log.event(MADE_OWNER)["actor"].clone();
        assert_eq!((&actor["type"], &actor["name"], &actor["email"]), (&json!("user"), &json!("Ananya Rao"), &json!("ananya.rao@northwind.example")));
        assert!(actor["id"].is_string());
    }
    c_67 "In the record: the organization ID" => |log| {
        assert!(log.events("").iter().all(|event| event["organization"] == ORGANIZATION));
        assert_eq!(log.policy()["labels"]["fields"]["organization"], "Organization ID");
    }
    c_68 "In the record: when the event expires" => |log| {
        let event = log.sent(&bare("permission_set.created"));
        assert_eq!(log.kept_days(&event), Some(90));
        assert_eq!(log.policy()["labels"]["fields"]["expires_at"], "Event expiry");
    }

    c_69 "Export all logs: 90 days, whatever the filters are" => |log| {
        assert_eq!(word(&log, "export_all"), "Export all logs");
        let range = format!("from={}&limit=1000", days_ago(89));
        let (wide, shown) = (log.get(&format!("events?{range}")), log.json("events?limit=1000"));
        assert_eq!(wide.problem(), "range-too-wide", "which the screen cannot show at once");
        let file = log.get_as(OWNER, &[], "events.jsonl?scope=all").text();
        let actions: Vec<Value> = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["action"].clone()).collect();
        assert!(actions.len() > shown["events"].as_array().unwrap().len());
        let window = format!("from={}&to={}", days_ago(75), days_ago(50));
        assert!(actions.contains(&log.event(&window)["action"]), "from before what is shown");
    }
    c_70 "Export filtered logs: what matches, when there is a filter" => |log| {
        assert_eq!(word(&log, "export_filtered"), "Export filtered logs");
        let rows = log.table("action_type=export");
        assert_eq!(rows.len(), 1);
        assert!(rows[0]["Activity"].starts_with("Export — "));
    } shown
    c_71 "A dialog asks to confirm: Yes, export" => |log| {
        assert_eq!(word(&log, "export_confirm"), "Yes, export");
    } shown
    c_72 "The file is CSV" => |log| {
        let file = log.get_as(OWNER, &[], "events.csv?labels=true");
        assert_eq!(file.status, 200);
        assert!(file.headers["content-type"].starts_with("text/csv"));
        assert!(file.text().starts_with("Date and Time,Activity,Entity,Performed By,Security action\r\n"), "{}", file.text());
    }

    c_73 "90 days back, in windows of up to 30 days" => |log| {
        assert!(log.events("q=Pilot&action=permission_set.updated").is_empty(), "outside the last 30 days");
        let window = format!("from={}&to={}", days_ago(75), days_ago(50));
        assert_eq!(log.event(&window)["action"], "permission_set.updated");
    }
    c_74 "A user's actions can be found by e-mail address" => |log| {
        let found = log.events("actor=BILL.HART@northwind.example");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["action"], "user_list.exported", "what he did, not what was done to him");
    }
    c_75 "Not all actions are visible yet, and readers are told" => |log| {
        let told = log.get_as(OWNER, &[], "policy").json();
        assert!(told["coverage_note"].as_str().unwrap().contains("not in it yet"), "{}", told["coverage_note"]);
    }
}
