//! What a valid profile lacks to be whole: examples of every action, words for every role and permission.

use std::collections::HashSet;

use trailbook_event::catalog::CatalogFault;

use super::Profile;

/// What is missing; lines are not known.
pub(super) fn missing(profile: &Profile) -> Vec<CatalogFault> {
    let mut missing = unshown(profile);
    let labels = &profile.effective.labels.values;
    let policy = &profile.effective;
    let named = [
        ("role", "view_roles", &policy.view_roles),
        ("role", "export_roles", &policy.export_roles),
        ("role", "administer_roles", &policy.administer_roles),
        ("permission", "view_permissions", &policy.view_permissions),
        ("permission", "export_permissions", &policy.export_permissions),
        ("permission", "administer_permissions", &policy.administer_permissions),
    ];
    for (kind, field, names) in named {
        // What the profile does not say is not its to label.
        let said = names.iter().filter(|_| profile.policy.contains_key(field));
        for name in said.filter(|name| !labels.get(kind).is_some_and(|labels| labels.contains_key(*name))) {
            missing.push(fault(
                format!("policy.{field}"),
                format!("`{name}` has no label; add it to policy.labels.values.{kind}"),
            ));
        }
    }
    missing
}

/// Actions that no example shows.
fn unshown(profile: &Profile) -> Vec<CatalogFault> {
    let examples = profile
        .examples
        .iter()
        .filter_map(|example| example.event.get("action")?.as_str());
    let payloads = profile.payloads.iter().map(|payload| payload.action.as_str());
    let shown: HashSet<&str> = examples.chain(payloads).collect();
    let actions = profile.vocabulary.catalog.actions().iter().enumerate();
    let unshown = actions.filter(|(_, action)| !shown.contains(action.id.as_str()));
    unshown
        .map(|(index, action)| {
            let detail = format!("no example shows `{}`; add one to [[examples]]", action.id);
            fault(format!("catalog.actions[{index}]"), detail)
        })
        .collect()
}

fn fault(path: String, detail: String) -> CatalogFault {
    CatalogFault {
        path,
        line: None,
        detail,
    }
}
