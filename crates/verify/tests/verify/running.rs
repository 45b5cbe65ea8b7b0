//! The check of a running server.

use trailbook_verify::{Events, Place, Report, Target, server};

use crate::honest::{Honest, event_path};

fn check(honest: Honest, events: Events, remembered: Option<&[u8]>) -> (Report, Option<Vec<u8>>) {
    let key = honest.key.clone();
    let url = honest.serve();
    let target = Target {
        url: &url,
        project: None,
        organization: "acme",
        api_key: Some("secret"),
        tls: &ureq::tls::TlsConfig::default(),
    };
    server(&target, &key, events, remembered)
}

fn tampered(honest: Honest, remembered: Option<&[u8]>) -> Vec<(Place, String)> {
    match check(honest, Events::All, remembered) {
        (Report::Tampered(findings), None) => findings
            .list()
            .iter()
            .map(|finding| (finding.place.clone(), finding.detail.clone()))
            .collect(),
        (other, _) => panic!("{other}"),
    }
}

#[test]
fn an_honest_server_is_verified_and_its_checkpoint_remembered() {
    for size in [0, 1, 5, 256, 300] {
        let honest = Honest::new(size, 1);
        let (report, note) = check(honest.clone(), Events::All, None);
        let Report::Verified(summary) = report else {
            panic!("{report}")
        };
        assert_eq!((summary.size, summary.events, summary.complete), (size, size, true));
        assert_eq!(note.as_ref(), Some(&honest.note));
    }
}

#[test]
fn a_sample_is_spread_and_not_called_complete() {
    for (count, expected) in [(0, 0), (1, 1), (3, 3), (10, 10), (50, 20)] {
        let (report, _) = check(Honest::new(20, 1), Events::Sample(count), None);
        let Report::Verified(summary) = report else {
            panic!("{report}")
        };
        assert_eq!(
            (summary.events, summary.complete),
            (expected, expected == 20),
            "{count}"
        );
    }
}

#[test]
fn each_thing_that_a_server_can_lie_about_is_named() {
    type Lie = fn(&mut Honest);
    let cases: [(Lie, &str, &str); 9] = [
        (
            |server| server.change(&event_path(2), "\"id\":\"u2\"", "\"id\":\"u3\""),
            "event 2",
            "another `actor`",
        ),
        (
            |server| server.change(&event_path(2), "\"n\":1.5", "\"n\":1.25"),
            "event 2",
            "another `metadata`",
        ),
        (
            |server| server.change(&event_path(2), "\"sequence\":2", "\"sequence\":1"),
            "event 2",
            "another `sequence`",
        ),
        (
            |server| server.change(&event_path(2), "{", "{\"extra\":1,"),
            "event 2",
            "does not prove",
        ),
        (
            |server| drop(server.answers.remove(&event_path(3))),
            "event 3",
            "does not show it",
        ),
        (
            |server| server.change(&format!("{}/proof?size=5", event_path(1)), "\"index\":1", "\"index\":2"),
            "event 1",
            "root",
        ),
        (
            |server| server.answers.get_mut("tlog/tile/0/000.p/5").unwrap()[40] ^= 1,
            "tlog/tile/0",
            "not those of the leaf",
        ),
        (
            |server| server.answers.get_mut("tlog/tile/entries/000.p/5").unwrap()[100] ^= 1,
            "entries",
            "do not lead to the root",
        ),
        (
            |server| drop(server.answers.remove("tlog/tile/entries/000.p/5")),
            "tlog/tile/entries",
            "does not have it",
        ),
    ];
    for (lie, place, words) in cases {
        let mut server = Honest::new(5, 1);
        lie(&mut server);
        let findings = tampered(server, None);
        let named = findings
            .iter()
            .any(|(at, detail)| at.to_string().starts_with(place) && detail.contains(words));
        assert!(named, "{place} {words}: {findings:?}");
    }
}

#[test]
fn a_ledger_must_continue_the_one_that_was_remembered() {
    let before = Honest::new(3, 1);
    let (report, _) = check(Honest::new(5, 1), Events::All, Some(&before.note));
    assert_eq!(report.exit_code(), 0, "{report}");
    let (report, _) = check(Honest::new(3, 1), Events::All, Some(&before.note));
    assert_eq!(report.exit_code(), 0, "{report}");
    for other in [Honest::new(5, 2), Honest::new(3, 2), Honest::new(2, 1)] {
        let findings = tampered(other, Some(&before.note));
        assert!(
            findings.iter().all(|(place, _)| place.to_string() == "consistency"),
            "{findings:?}"
        );
    }
    let (report, note) = check(Honest::new(5, 1), Events::All, Some(b"not a note"));
    assert_eq!((report.exit_code(), note), (2, None));
}

#[test]
fn no_answer_no_right_and_no_organization_are_not_tampering() {
    let honest = Honest::new(2, 1);
    let key = honest.key.clone();
    let url = honest.serve();
    let target = Target {
        url: &url,
        project: None,
        organization: "acme",
        api_key: Some("secret"),
        tls: &ureq::tls::TlsConfig::default(),
    };
    for wrong in [
        Target {
            api_key: Some("other"),
            ..target
        },
        Target {
            api_key: None,
            ..target
        },
        Target {
            organization: "acme/../other",
            ..target
        },
        Target {
            url: "http://127.0.0.1:1",
            ..target
        },
    ] {
        let (report, _) = server(&wrong, &key, Events::All, None);
        assert!(matches!(report, Report::Unreadable(_)), "{report}");
    }
}
