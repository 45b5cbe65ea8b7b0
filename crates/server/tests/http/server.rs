//! A real server on a free port of loopback and a scratch directory, and a small HTTP client that hides nothing.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    ops::Range,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub(crate) const ROOT_KEY: &str = "test-root-key-0123456789";

pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) address: String,
    pub(crate) directory: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of a problem document; panics when the answer is none.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.headers.get("content-type").map(String::as_str),
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert_eq!(
            document["request_id"].as_str(),
            self.headers.get("x-request-id").map(String::as_str)
        );
        document["type"]
            .as_str()
            .unwrap()
            .strip_prefix("https://trailbook.dev/problems/")
            .unwrap()
            .to_owned()
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), &[("TRAILBOOK_ROOT_KEY", ROOT_KEY)])
    }

    /// Starts on a directory; the log goes to `log` in it. Ready when the one line has come.
    pub(crate) fn start_with(directory: tempfile::TempDir, environment: &[(&str, &str)]) -> Self {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(directory.path().join("log"))
            .unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailbook"));
        command.env_clear().envs(environment.iter().copied());
        command
            .arg("serve")
            .arg("--data")
            .arg(directory.path().join("data"))
            .args(["--listen", "127.0.0.1:0"]);
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("Trailbook listens on http://")
            .expect("one line with the address");
        Self {
            process,
            address: address.to_owned(),
            directory,
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Where it listens, such as 127.0.0.1:4711.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Resident memory of the process, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let kibibytes = self.status("VmRSS:");
        kibibytes.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Whether the process has a handler for a signal.
    pub(crate) fn catches(&self, signal: u32) -> bool {
        let caught = u64::from_str_radix(&self.status("SigCgt:"), 16).unwrap();
        caught & (1 << (signal - 1)) != 0
    }

    /// What the kernel says of the process under a name.
    fn status(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        value.trim().to_owned()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        let sent = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Sends SIGTERM and waits; the exit code, and the directory for a further start.
    pub(crate) fn stop(mut self) -> (Option<i32>, tempfile::TempDir) {
        self.terminate();
        let code = self.process.wait().unwrap().code();
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        (code, directory)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// A request with exactly these headers, beside `Host`, `Content-Length` and `Connection: close`.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
        headers
            .iter()
            .for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(body);
        answer(stream)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("Authorization", &format!("Bearer {ROOT_KEY}"))], b"")
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let authorization = format!("Bearer {ROOT_KEY}");
        let mut all = vec![("Authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        if !headers.iter().any(|(name, _)| *name == "Content-Type") {
            all.push(("Content-Type", "application/json"));
        }
        self.send("POST", path, &all, body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {ROOT_KEY}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        self.send("PUT", path, &headers, body.to_string().as_bytes())
    }

    /// The value of a metric, such as `trailbook_segments{level="0"}`; 0 when there is no such line.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse::<f64>().unwrap() as u64)
    }

    /// Waits until something holds that the server does in the background.
    pub(crate) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(
                started.elapsed() < Duration::from_secs(300),
                "not within five minutes: {what}\n{}",
                self.log()
            );
            // Asking without a pause would take the time that the server needs.
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs the command against this server; its exit code, and what it prints.
    pub(crate) fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_trailbook"))
            .env_clear()
            .env("TRAILBOOK_SERVER", format!("http://{}", self.address))
            .env("TRAILBOOK_KEY", ROOT_KEY)
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said)
    }

    /// The verifier key of an organization.
    pub(crate) fn verifier_key(&self, organization: &str) -> String {
        let answer = self.get(&format!("/v1/organizations/{organization}/checkpoint-key"));
        answer.json()["vkey"].as_str().unwrap().to_owned()
    }

    /// Downloads evidence and checks it offline.
    pub(crate) fn assert_evidence(&self, organization: &str, filter: &str) {
        let file = self.get(&format!("/v1/organizations/{organization}/events.evidence?{filter}"));
        assert_eq!(file.status, 200, "{filter}: {}", file.text());
        let path = self.directory.path().join("evidence.zip");
        fs::write(&path, file.body).unwrap();
        let key = self.verifier_key(organization);
        let (code, said) = self.command(&["verify", path.to_str().unwrap(), "--key", &key]);
        assert_eq!(code, Some(0), "{filter}: {said}");
    }

    /// Stops the server and checks every byte that it stored; the directory for a further start.
    pub(crate) fn stop_sound(self) -> tempfile::TempDir {
        let (code, directory) = self.stop();
        assert_eq!(code, Some(0));
        let fsck = Command::new(env!("CARGO_BIN_EXE_trailbook"))
            .args(["fsck", "--deep", "--data"])
            .arg(directory.path().join("data"))
            .output()
            .unwrap();
        assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
        directory
    }

    pub(crate) fn ingest(&self, body: &Value) -> Answer {
        self.post("/v1/events", &[], body.to_string().as_bytes())
    }

    /// Stores events `0..count` of the organization.
    pub(crate) fn fill(&self, organization: &str, count: usize) -> Value {
        self.store(organization, 0..count)
    }

    /// Stores events with these numbers of the organization.
    pub(crate) fn store(&self, organization: &str, numbers: Range<usize>) -> Value {
        let events: Vec<Value> = numbers.map(|number| event(organization, number)).collect();
        let answer = self.ingest(&json!({ "events": events }));
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    pub(crate) fn count(&self, organization: &str) -> u64 {
        let answer = self.get(&format!("/v1/organizations/{organization}/events/count"));
        if answer.status == 404 {
            0
        } else {
            answer.json()["count"].as_u64().unwrap()
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An answer, read to the end of the connection.
pub(crate) fn answer(mut stream: impl Read) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.into()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        body = unchunked(&body);
    }
    Answer { status, headers, body }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest
            .windows(2)
            .position(|window| window == b"\r\n")
            .expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

pub(crate) fn event(organization: &str, number: usize) -> Value {
    json!({
        "organization": organization,
        "occurred_at": format!("2026-11-{:02}T10:00:{:02}Z", 1 + number % 18, number % 60),
        "action": "user.role.updated",
        "area": if number.is_multiple_of(2) { "users" } else { "billing" },
        "actor": { "id": format!("u_{}", number % 7), "name": format!("Zoë {}", number % 7) },
        "targets": [{ "type": "user", "id": format!("t_{number}") }],
        "context": { "ip": "203.0.113.9" },
        "description": format!("changed role number {number}"),
        "security": number.is_multiple_of(5),
        "trace_id": format!("trace-{}", number / 10),
        "metadata": { "n": number },
    })
}
