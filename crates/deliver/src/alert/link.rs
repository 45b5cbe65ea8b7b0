//! Addresses of the console that open it at events. What they consist of is read by the screen (docs/screen.md).

use std::sync::Arc;

use trailbook_access::{DEFAULT_PROJECT, Policy};
use trailbook_event::Timestamp;
use trailbook_ledger::{EventId, OrganizationKey};
use url::form_urlencoded::Serializer;

/// Makes addresses of the console.
#[derive(Clone)]
pub(super) struct Links {
    /// Without a slash at the end; empty when nobody said where the console is.
    public_url: Arc<str>,
}

impl Links {
    pub(super) fn new(public_url: &str) -> Self {
        Self {
            public_url: public_url.into(),
        }
    }

    /// The activity of an organization: what a query finds, of events that occurred from a millisecond to another, both inclusive;
    /// with one of them open.
    pub(super) fn activity(
        &self,
        organization: &OrganizationKey,
        policy: &Policy,
        query: &str,
        occurred: Option<(i64, i64)>,
        event: Option<&EventId>,
    ) -> Option<String> {
        if self.public_url.is_empty() {
            return None;
        }
        let page = format!("{}/?", self.public_url);
        let begin = page.len();
        let mut address = Serializer::for_suffix(page, begin);
        address.append_pair("organization", organization.organization());
        if organization.project() != DEFAULT_PROJECT {
            address.append_pair("project", organization.project());
        }
        if !query.is_empty() {
            address.append_pair("q", query);
        }
        if let Some((first, last)) = occurred {
            let [from, to] = [first, last + 1].map(Timestamp::from_millis);
            address.append_pair("range", &format!("{from}..{to}"));
        }
        if policy.hide_reads {
            // The alert found them; the list must not leave them out.
            address.append_pair("reads", "1");
        }
        if let Some(event) = event {
            address.append_pair("event", &event.to_string());
        }
        Some(address.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_the_query_and_a_range_that_covers_the_events() {
        let links = Links::new("https://log.example");
        let acme = OrganizationKey::new("default", "acme");
        let policy = Policy::default();
        let address = links.activity(&acme, &policy, "type:login \"a b\"", Some((0, 999)), None);
        assert_eq!(
            address.as_deref(),
            Some(
                "https://log.example/?organization=acme&q=type%3Alogin+%22a+b%22\
                 &range=1970-01-01T00%3A00%3A00.000Z..1970-01-01T00%3A00%3A01.000Z"
            )
        );
        let elsewhere = OrganizationKey::new("shop", "acme");
        let policy = Policy {
            hide_reads: true,
            ..policy
        };
        let address = links.activity(&elsewhere, &policy, "", None, None);
        assert_eq!(
            address.as_deref(),
            Some("https://log.example/?organization=acme&project=shop&reads=1")
        );
        assert_eq!(Links::new("").activity(&acme, &policy, "", None, None), None);
    }
}
