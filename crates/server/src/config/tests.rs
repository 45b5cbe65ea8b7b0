//! Layers, faults, secrets, and the document.

use super::*;

fn settings(layers: Vec<Layer>) -> Result<Settings, Faults> {
    Settings::from_layers(layers, &|path| match path {
        "key.txt" => Ok("a-key-from-a-file-0123\n".into()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    })
}

fn file(text: &str) -> Layer {
    Layer::file("trailbook.toml", text)
}

fn faults(layers: Vec<Layer>) -> Vec<String> {
    settings(layers).expect_err("refused").0
}

/// Every setting as it is shown.
fn shown(layer: Layer) -> String {
    let gathered = Settings::gathered(vec![layer], &|_| Ok("ab".repeat(32)));
    show::toml(&gathered.expect("valid").1)
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let flags = Layer::flags([("data", Some("from-flag".into())), ("listen", None)]);
    let environment = Layer::environment(&|name| match name {
        "TRAILBOOK_DATA" => Some("from-environment".into()),
        "TRAILBOOK_LISTEN" => Some("127.0.0.1:1".into()),
        _ => None,
    });
    let file = file("data = 'from-file'\nlisten = '127.0.0.1:2'\nbatch_events_max = 7\n");
    let settings = settings(vec![flags, environment, file]).expect("valid");
    assert_eq!(settings.data, PathBuf::from("from-flag"));
    assert_eq!(settings.listen.port(), 1);
    assert_eq!(settings.limits.batch_events, 7);
    assert_eq!(settings.limits.body_bytes, 16 * MIB);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
    assert_eq!(
        faults(vec![file("# comment\n\nlisten = '127.0.0.1:1'\ndatabse = 'x'\n")]),
        ["trailbook.toml, line 4: unknown key \"databse\"; did you mean \"database\"?"]
    );
    assert!(faults(vec![file("listen = ")])[0].contains("line 1"));
}

#[test]
fn every_fault_is_reported_at_once() {
    let environment = Layer::environment(&|name| (name == "TRAILBOOK_TRUSTED_PROXIES").then(|| "many".into()));
    let file =
        file("listen = 'here'\nbatch_events_max = 0\nroot_key = 'short'\nlisen = 1\ndata = []\nnode_name = 'a b'");
    let faults = faults(vec![environment, file]);
    assert_eq!(faults.len(), 7, "{faults:?}");
    assert!(
        faults.iter().any(|fault| fault.contains("TRAILBOOK_TRUSTED_PROXIES")),
        "{faults:?}"
    );
    assert!(
        faults.iter().any(|fault| fault.contains("line 1")) && !faults.concat().contains("short"),
        "{faults:?}"
    );
}

#[test]
fn nodes_on_postgresql_must_be_given_their_keys() {
    let key = "cd".repeat(32);
    let database = "database = 'postgres://trailbook:hunter2@db/trailbook'\n";
    let keys = ["root_key", "signing_key", "encryption_key"];
    let given = |names: &[&str]| -> String { names.iter().map(|name| format!("{name} = '{key}'\n")).collect() };
    assert!(
        settings(vec![file(&format!("{database}{}", given(&keys)))])
            .expect("valid")
            .on_postgres()
    );
    assert!(settings(vec![file(&given(&keys[..1]))]).is_ok(), "SQLite needs none");
    for missing in keys {
        let others: Vec<&str> = keys.into_iter().filter(|name| *name != missing).collect();
        let faults = faults(vec![file(&format!("{database}{}", given(&others)))]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        let fault = &faults[0];
        assert!(
            fault.contains(missing) && fault.contains("openssl rand -hex 32") && !fault.contains("hunter2"),
            "{fault}"
        );
        assert!(others.iter().all(|other| !fault.contains(other)), "{fault}");
    }
    let from_file = format!("{database}{}root_key_file = 'key.txt'\n", given(&keys[1..]));
    settings(vec![file(&from_file)]).expect("a file will do");
}

#[test]
fn a_signing_key_has_64_hexadecimal_digits() {
    let parsed = settings(vec![file(&format!("signing_key = '{}'", "0f".repeat(32)))]).expect("valid");
    assert_eq!(parsed.signing_key.map(|key| key.bytes()), Some([15; 32]));
    let faults = faults(vec![file("signing_key = 'hunter2'")]);
    assert!(
        faults[0].contains("openssl rand -hex 32") && !faults[0].contains("hunter2"),
        "{faults:?}"
    );
}

#[test]
fn a_secret_may_be_in_a_file_of_its_own_but_not_in_both_places() {
    let key = |layer| settings(vec![layer]).map(|settings| settings.root_key.map(|key| key.expose().to_owned()));
    assert_eq!(
        key(file("root_key_file = 'key.txt'")).expect("valid").as_deref(),
        Some("a-key-from-a-file-0123")
    );
    assert!(key(file("root_key_file = 'absent.txt'")).is_err());
    assert!(key(file("root_key_file = 'key.txt'\nroot_key = 'another-key-0123456789'")).is_err());
}

#[test]
fn mail_needs_a_server_a_sender_and_an_address_for_links_and_never_tells_the_password() {
    let mail = |text: &str| settings(vec![file(text)]).map(|settings| settings.mail.is_some());
    let (server, from) = (
        "smtp_url = 'smtps://u:hunter2@mail.example'\n",
        "mail_from = 'Log <log@log.example>'\n",
    );
    let public = "public_url = 'https://log.example/'\n";
    assert!(mail(&[server, from, public].concat()).expect("valid"));
    assert!(!mail(public).expect("valid"));
    let wrong = ["smtp_url = 'hunter2'\n", from, public].concat();
    for missing in [
        [from, public].concat(),
        [server, public].concat(),
        [server, from].concat(),
        wrong,
    ] {
        let faults = mail(&missing).expect_err("refused");
        assert!(
            faults.0.len() == 1 && !faults.to_string().contains("hunter2"),
            "{faults}"
        );
    }
    assert!(mail("public_url = 'log.example'").is_err() && mail("public_url = 'https://a@b'").is_err());
}

#[test]
fn keys_and_destinations_that_cannot_be_used_are_faults() {
    let key = "ab".repeat(32);
    let good = format!("encryption_key = '{key}'\nprivate_destinations = '10.0.0.0/8, idp.internal:8443'");
    settings(vec![file(&good)]).expect("valid");
    let faults = settings(vec![file(
        "encryption_key = 'hunter2'\nprivate_destinations = 'http://a'",
    )]);
    let faults = faults.expect_err("refused").to_string();
    assert!(faults.contains("line 2") && !faults.contains("hunter2"), "{faults}");
}

#[test]
fn the_document_has_every_setting_its_default_and_whether_it_may_be_in_a_file() {
    let document = include_str!("../../../../docs/operate/settings.md");
    let (table, rest) = document.split_once("## Memory").expect("the next section");
    let rows: BTreeMap<&str, &str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .filter_map(|(name, rest)| Some((name, rest.split_once(" | ")?.0.trim_matches('`'))))
        .collect();
    let mut names: Vec<&str> = NAMES.into_iter().filter(|name| !name.ends_with("_file")).collect();
    names.sort_unstable();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), names);
    assert!(
        rest.contains("tail_events_max"),
        "the table ends before the section on memory"
    );

    let (_, defaults) = Settings::gathered(Vec::new(), &|_| Err(std::io::ErrorKind::NotFound.into())).expect("valid");
    for setting in defaults.iter().filter(|setting| setting.name != "node_name") {
        match &setting.value {
            Some(value) => assert_eq!(rows[setting.name], value, "the default of {}", setting.name),
            None => assert!(
                rows[setting.name].parse::<i64>().is_err(),
                "{} has no default",
                setting.name
            ),
        }
    }

    let secrets = table
        .split("\n\n")
        .find(|part| part.contains("may hold secrets"))
        .expect("a paragraph on secrets");
    for name in NAMES.into_iter().filter_map(|name| name.strip_suffix("_file")) {
        assert!(secrets.contains(&format!("`{name}`")), "{name} may be in a file");
    }
}

#[test]
fn settings_are_shown_with_their_sources_and_without_secrets() {
    let text = shown(file(
        "listen = '127.0.0.1:1'\ndatabase = 'postgres://trailbook:hunter2@db:5432/log?sslmode=require'\nroot_key_file = 'a'\n\
         signing_key_file = 'b'\nencryption_key = 'abababababababababababababababababababababababababababababababab'",
    ));
    for line in [
        "listen = \"127.0.0.1:1\"  # trailbook.toml, line 1, listen",
        "database = \"postgres://trailbook@db:5432/log?sslmode=require\"  # trailbook.toml, line 2, database",
        "root_key_file = \"a\"  # trailbook.toml, line 3, root_key_file",
        "encryption_key = \"(secret)\"  # trailbook.toml, line 5, encryption_key",
        "connections_max = 4096  # default",
        "# objects is not set",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    assert!(!text.contains("hunter2") && !text.contains("abab"), "{text}");
    // What is shown can be used again, but for what is not shown.
    assert_eq!(Layer::file("again.toml", &text).faults, Vec::<String>::new());
}

#[test]
fn urls_lose_their_passwords_wherever_they_are() {
    for (url, harmless) in [
        ("postgres://u:hunter2@h/db", "postgres://u@h/db"),
        (
            "postgres://u:hunt/er2@h1:1,h2:2/db?a=b",
            "postgres://u@h1:1,h2:2/db?a=b",
        ),
        ("postgres://u:hunt@er2@h/db", "postgres://u@h/db"),
        (
            "postgres://h/db?user=u&password=hunter2&sslPassword=hunter2",
            "postgres://h/db?user=u",
        ),
        ("smtps://u%40x:hunter2@h", "smtps://u%40x@h"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("hunter2", "(secret)"),
    ] {
        assert_eq!(without_password(url), harmless);
    }
}

#[test]
fn secrets_are_not_printed() {
    assert_eq!(format!("{:?}", Secret("hunter2".into())), "(secret)");
}
