//! A real mail server (aiosmtpd) that hands over what it got.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use serde_json::Value;

/// The version that was tried.
const PACKAGE: &str = "aiosmtpd==1.4.6";

pub(crate) struct Postman {
    process: Child,
    port: u16,
    letters: Receiver<Value>,
}

impl Postman {
    pub(crate) fn start() -> Self {
        Self::refusing(0)
    }

    /// Refuses so many letters for now before it takes one.
    pub(crate) fn refusing(letters: u32) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/postman.py");
        let mut process = Command::new(python())
            .arg(script)
            .arg(letters.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().expect("a port").unwrap().parse().unwrap();
        let (sender, letters) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).expect("a letter"));
            }
        });
        Self { process, port, letters }
    }

    /// The settings of a server that sends its letters here.
    pub(crate) fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("TRAILBOOK_SMTP_URL", format!("smtp://127.0.0.1:{}", self.port)),
            ("TRAILBOOK_MAIL_FROM", "Audit log <log@trailbook.example>".into()),
            ("TRAILBOOK_PUBLIC_URL", "https://log.trailbook.example".into()),
        ]
    }

    /// The next letter, once it is there.
    pub(crate) fn letter(&self) -> Value {
        self.letters
            .recv_timeout(Duration::from_secs(60))
            .expect("a letter within a minute")
    }

    /// The secret in the next letter's link, and whom it went to.
    pub(crate) fn link(&self) -> (String, String) {
        let letter = self.letter();
        let text = letter["text"].as_str().unwrap();
        let secret = text.split_whitespace().find_map(|word| word.split_once("/password#"));
        let (_, secret) = secret.unwrap_or_else(|| panic!("no link: {text}"));
        (letter["to"][0].as_str().unwrap().into(), secret.into())
    }

    /// Letters that came and were not looked at.
    pub(crate) fn waiting(&self) -> usize {
        self.letters.try_iter().count()
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The interpreter of an environment that has aiosmtpd; made once, whichever test comes first.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_trailbook")).ancestors().nth(2).unwrap();
    let home = target.join("mail").join(PACKAGE.replace("==", "-"));
    fs::create_dir_all(home.parent().unwrap()).unwrap();
    let lock = fs::File::create(home.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let (python, complete) = (home.join("bin/python"), home.join("complete"));
    if !complete.exists() {
        let ran = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
        ran(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            PACKAGE,
        ];
        ran(Command::new(&python).args(pip));
        fs::write(complete, "").unwrap();
    }
    python
}
