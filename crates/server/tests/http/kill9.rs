//! `kill -9` at random moments under load, while the server seals and compacts: nothing acknowledged is lost, nothing stored twice,
//! sequences have no gaps, and no byte of what is sealed is wrong.
//!
//! `make kill9 CYCLES=200` runs it at length; KILL9_CYCLES sets the number of kills, TRAILBOOK_BIN another binary.
#![allow(clippy::disallowed_methods, reason = "a test of the real process, in real time")]

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

const KEY: &str = "kill-nine-root-key-0123456789abcdef";
const WRITERS: u64 = 6;
const ORGANIZATIONS: u64 = 3;

struct Running {
    child: Child,
    address: String,
}

fn binary() -> String {
    std::env::var("TRAILBOOK_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_trailbook").to_owned())
}

fn start(data: &std::path::Path) -> Running {
    let mut child = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("TRAILBOOK_ROOT_KEY", KEY)
        // The least there is: each start finds something to seal, and kills hit every step of it.
        .env("TRAILBOOK_SEAL_EVENTS", "1000")
        .env("TRAILBOOK_SEAL_AGE_MS", "1000")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .expect("the address")
        .to_owned();
    Running { child, address }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .build()
        .into()
}

fn get(agent: &ureq::Agent, url: &str) -> Value {
    let mut answer = agent
        .get(url)
        .header("Authorization", &format!("Bearer {KEY}"))
        .call()
        .unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    answer.body_mut().with_config().limit(64 << 20).read_json().unwrap()
}

/// Every event of an organization, by sequence.
fn stored(agent: &ureq::Agent, address: &str, organization: &str) -> HashMap<u64, (String, String)> {
    let mut events = HashMap::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = cursor
            .as_ref()
            .map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let body = get(
            agent,
            &format!("{address}/v1/organizations/{organization}/events?limit=1000{page}"),
        );
        for event in body["events"].as_array().unwrap() {
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            let earlier = events.insert(event["sequence"].as_u64().unwrap(), (text("id"), text("client_id")));
            assert_eq!(earlier, None, "a sequence is there twice");
        }
        match body["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return events,
        }
    }
}

type Acknowledged = Arc<Mutex<Vec<(String, u64, String, String)>>>;

/// Sends batches until the server dies; what is not acknowledged is sent again, with the same client ids, after the restart.
fn write(
    address: &str,
    writer: u64,
    next: &AtomicU64,
    pending: &mut Option<Vec<Value>>,
    acknowledged: &Acknowledged,
    stop: &AtomicBool,
) {
    let agent = agent();
    while !stop.load(Ordering::SeqCst) {
        let batch = pending.take().unwrap_or_else(|| {
            let first = next.fetch_add(20, Ordering::SeqCst);
            (first..first + 20)
                .map(|number| {
                    json!({"organization": format!("o{}", number % ORGANIZATIONS), "action": "thing.done",
                        "client_id": format!("w{writer}-{number}"), "actor": {"id": "u"}, "metadata": {"n": number}})
                })
                .collect()
        });
        let answer = agent
            .post(&format!("{address}/v1/events"))
            .header("Authorization", &format!("Bearer {KEY}"))
            .send_json(json!({"events": &batch}));
        let body: Option<Value> = answer
            .ok()
            .filter(|answer| answer.status() == 201)
            .and_then(|mut answer| answer.body_mut().read_json().ok());
        let Some(body) = body else {
            *pending = Some(batch);
            return;
        };
        let mut acknowledged = acknowledged.lock().unwrap();
        for (sent, event) in batch.iter().zip(body["events"].as_array().unwrap()) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            acknowledged.push((
                text(&event["organization"]),
                event["sequence"].as_u64().unwrap(),
                text(&event["id"]),
                text(&sent["client_id"]),
            ));
        }
    }
}

/// Kills per data directory: start and `fsck` read everything, so a directory must not grow for ever. Eight sealings are compacted.
const KILLS_PER_ROUND: u64 = 20;

#[test]
fn kill9_loses_and_doubles_nothing() {
    let cycles: u64 = std::env::var("KILL9_CYCLES")
        .ok()
        .map_or(5, |cycles| cycles.parse().unwrap());
    let mut seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}, {cycles} kills");
    let (mut killed, mut acknowledged, mut total, mut sealed) = (0, 0, 0, 0);
    while killed < cycles {
        let kills = KILLS_PER_ROUND.min(cycles - killed);
        let of_round = round(kills, &mut seed);
        killed += kills;
        acknowledged += of_round.acknowledged;
        total += of_round.stored;
        sealed += of_round.sealed;
        println!(
            "{killed} kills, {acknowledged} acknowledged, {total} stored, {sealed} sealed into levels {:?}, none lost, none twice",
            of_round.levels
        );
    }
    assert!(acknowledged as u64 >= cycles * 20, "too little load to tell");
}

/// What a directory holds that outlived its kills.
struct Round {
    acknowledged: usize,
    stored: usize,
    sealed: u64,
    /// Segments of each level.
    levels: Vec<u64>,
}

/// Kills a server on a fresh directory several times and checks everything.
fn round(kills: u64, seed: &mut u64) -> Round {
    let data = tempfile::tempdir().unwrap();
    let (acknowledged, next) = (Acknowledged::default(), Arc::new(AtomicU64::new(0)));
    let mut pending: Vec<Option<Vec<Value>>> = vec![None; WRITERS as usize];
    for kill in 0..kills {
        let mut server = start(data.path());
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = pending
            .drain(..)
            .zip(0..)
            .map(|(mut pending, writer)| {
                let (address, next) = (server.address.clone(), Arc::clone(&next));
                let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
                thread::spawn(move || {
                    write(&address, writer, &next, &mut pending, &acknowledged, &stop);
                    pending
                })
            })
            .collect();
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(50 + (*seed >> 33) % 950));
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        stop.store(true, Ordering::SeqCst);
        pending = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        assert_sound(data.path(), kill);
    }
    let mut server = start(data.path());
    let acknowledged = acknowledged.lock().unwrap();
    let stored = check(&server.address, &acknowledged);
    let (levels, events) = sealed(&server.address);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert_sound(data.path(), kills);
    Round {
        acknowledged: acknowledged.len(),
        stored,
        sealed: events.iter().sum(),
        levels,
    }
}

/// Segments and events of each level, as soon as anything is sealed.
fn sealed(address: &str) -> (Vec<u64>, Vec<u64>) {
    let (agent, started) = (agent(), Instant::now());
    loop {
        let stats = get(&agent, &format!("{address}/v1/stats"));
        let levels = stats["levels"].as_array().unwrap();
        let of_each = |name: &str| levels.iter().map(|level| level[name].as_u64().unwrap()).collect();
        if !levels.is_empty() {
            return (of_each("segments"), of_each("events"));
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing is sealed: {stats}"
        );
    }
}

fn assert_sound(data: &std::path::Path, kill: u64) {
    let fsck = Command::new(binary())
        .args(["fsck", "--deep", "--data"])
        .arg(data)
        .output()
        .unwrap();
    assert!(
        fsck.status.success(),
        "kill {kill}: {}",
        String::from_utf8_lossy(&fsck.stdout)
    );
}

/// Compares what is stored with what was acknowledged; the number of stored events.
fn check(address: &str, acknowledged: &[(String, u64, String, String)]) -> usize {
    let agent = agent();
    let mut total = 0;
    for organization in (0..ORGANIZATIONS).map(|number| format!("o{number}")) {
        let events = stored(&agent, address, &organization);
        assert!(
            (0..events.len() as u64).all(|sequence| events.contains_key(&sequence)),
            "{organization} has gaps"
        );
        let mut client_ids: Vec<&String> = events.values().map(|(_, client_id)| client_id).collect();
        client_ids.sort_unstable();
        assert!(
            client_ids.windows(2).all(|pair| pair[0] != pair[1]),
            "{organization} holds an event twice"
        );
        for (_, sequence, id, client_id) in acknowledged.iter().filter(|(of, ..)| *of == organization) {
            let expected = Some(&(id.clone(), client_id.clone())).cloned();
            assert_eq!(
                events.get(sequence).cloned(),
                expected,
                "{organization} {sequence} was acknowledged"
            );
        }
        total += events.len();
    }
    total
}
