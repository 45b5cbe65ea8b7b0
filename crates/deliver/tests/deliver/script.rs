//! Evidence as docs/verify.py sees it: the script that lies in every archive, run by Python.

use std::{
    cell::RefCell,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
};

use tempfile::TempDir;
use trailbook_merkle::note::VerifierKey;
use trailbook_verify::{Report, evidence_bytes};

use crate::ledger::{ALL, Made, Wanted};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify.py");

/// Checks one file after the other, as the script's own `main` does. A signature that was checked once is not checked again,
/// because that takes longer than the rest.
const LOOP: &str = "
import contextlib, functools, importlib.util, io, sys
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location('verify', sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
verify.signature_holds = functools.lru_cache(None)(verify.signature_holds)
for line in sys.stdin:
    sys.argv[1:] = ['--key', *line.rstrip('\\n').split('\\t')]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = verify.main()
    print(code, said.getvalue().replace('\\n', '\\t'), flush=True)
";

/// The script, waiting for files.
struct Script {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    directory: TempDir,
}

impl Script {
    fn start() -> Self {
        let mut process = Command::new("python3")
            .args(["-c", LOOP, SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: process.stdin.take().unwrap(),
            output: BufReader::new(process.stdout.take().unwrap()),
            process,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Exit code, and what was printed.
    fn check(&mut self, bytes: &[u8], key: &VerifierKey) -> (u8, String) {
        let path = self.directory.path().join("evidence.zip");
        fs::write(&path, bytes).unwrap();
        writeln!(self.input, "{key}\t{}", path.display()).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let (code, said) = line.split_once(' ').expect("the script says something");
        (code.parse().unwrap(), said.replace('\t', "\n"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

thread_local! {
    static RUNNING: RefCell<Option<Script>> = const { RefCell::new(None) };
}

/// What the script says of evidence: its exit code, and what it prints.
pub(crate) fn by_script(bytes: &[u8], key: &VerifierKey) -> (u8, String) {
    RUNNING.with_borrow_mut(|script| script.get_or_insert_with(Script::start).check(bytes, key))
}

/// The verifier's report. The script comes to the same outcome.
pub(crate) fn by_both(bytes: &[u8], key: &VerifierKey) -> Report {
    let report = evidence_bytes(bytes, key);
    let (code, said) = by_script(bytes, key);
    assert_eq!(code, report.exit_code(), "the verifier: {report}\nthe script: {said}");
    report
}

/// The script as people run it.
fn run(script: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("python3");
    command.arg("-B").arg(script).args(arguments);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A file in `directory` unpacked by Python.
fn unpacked(directory: &Path, bytes: &[u8]) -> PathBuf {
    let (file, folder) = (directory.join("evidence.zip"), directory.join("unpacked"));
    fs::write(&file, bytes).unwrap();
    let unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    let status = Command::new("python3")
        .args(["-c", unpack])
        .arg(&file)
        .arg(&folder)
        .status();
    assert!(status.unwrap().success());
    folder
}

#[test]
fn the_script_makes_its_three_statements_separately() {
    let made = Made::new(20);
    let filtered = made.evidence(&Wanted {
        begin: 2,
        filter: Some("actor:sarah\n\u{1b}[2J"),
        keep: |sequence| sequence % 3 == 0,
        ..ALL
    });
    let (code, all) = by_script(&made.evidence(&ALL), &made.key);
    assert_eq!(code, 0, "{all}");
    for statement in [
        "VERIFIED\n",
        "authentic  yes: 20 events",
        "complete   yes:",
        "filtered   no: 20 of 20",
    ] {
        assert!(all.contains(statement), "{statement} is in {all}");
    }
    let (code, some) = by_script(&filtered, &made.key);
    assert_eq!(code, 0, "{some}");
    for statement in [
        "authentic  yes: 6 events",
        "from 2 up to 20",
        "filtered   yes: 6 of 18",
        "actor:sarah\u{fffd}\u{fffd}[2J",
    ] {
        assert!(some.contains(statement), "{statement} is in {some}");
    }
    let other = Made::signed(20, crate::ledger::ORIGIN, [3; 32]);
    let (code, none) = by_script(&filtered, &other.key);
    assert_eq!(code, 1, "{none}");
    for statement in [
        "TAMPERED OR INCOMPLETE\n",
        "authentic  NO",
        "complete   NO",
        "filtered   yes",
        "wrong      checkpoint",
    ] {
        assert!(none.contains(statement), "{statement} is in {none}");
    }
}

#[test]
fn the_script_from_the_archive_is_the_published_one_and_checks_its_own_folder() {
    let made = Made::new(7);
    let directory = tempfile::tempdir().unwrap();
    let folder = unpacked(directory.path(), &made.evidence(&ALL));
    let script = folder.join("verify.py");
    assert_eq!(fs::read(&script).unwrap(), fs::read(SCRIPT).unwrap());
    let key = made.key.to_string();
    for path in [None, folder.to_str(), directory.path().join("evidence.zip").to_str()] {
        let output = run(&script, &[&["--key", &key][..], &Vec::from_iter(path)].concat());
        let said = said(&output);
        assert!(said.starts_with("VERIFIED\n") && said.contains("7 of 7"), "{said}");
        assert_eq!(output.status.code(), Some(0));
    }
    let events = fs::read_to_string(folder.join("events.jsonl")).unwrap();
    fs::write(
        folder.join("events.jsonl"),
        events.replacen("\"sequence\":4", "\"sequence\":6", 1),
    )
    .unwrap();
    let output = run(&script, &["--key", &key]);
    let said = said(&output);
    assert!(
        said.starts_with("TAMPERED OR INCOMPLETE\n") && said.contains("event 4 ("),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_the_script_cannot_check_ends_with_another_code_and_a_sentence() {
    let made = Made::new(2);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (whole, cut) = (made.evidence(&ALL), path("cut", &made.evidence(&ALL)[..500]));
    let (key, whole) = (made.key.to_string(), path("whole", &whole));
    let damaged_key = key.replace("acme", "acne");
    for arguments in [
        ["--key", &key, &cut],
        ["--key", &key, "/does/not/exist"],
        ["--key", &key, directory.path().to_str().unwrap()],
        ["--key", &damaged_key, &whole],
        ["--key", "log.example/default/acme", &whole],
    ] {
        let output = run(Path::new(SCRIPT), &arguments);
        assert!(said(&output).starts_with("COULD NOT BE CHECKED\n"), "{arguments:?}");
        assert_eq!(output.status.code(), Some(2));
    }
    let without_key = run(Path::new(SCRIPT), &[&whole]);
    assert_eq!(without_key.status.code(), Some(2));
}

#[test]
fn archives_from_before_there_was_a_script_are_verified() {
    const WITHOUT: &str = "import sys, zipfile\n\
        source = zipfile.ZipFile(sys.argv[1])\n\
        with zipfile.ZipFile(sys.argv[2], 'w') as copy:\n\
        \tfor name in source.namelist():\n\
        \t\tif name != 'verify.py': copy.writestr(name, source.read(name))\n";
    let made = Made::new(5);
    let directory = tempfile::tempdir().unwrap();
    let (now, before) = (directory.path().join("now.zip"), directory.path().join("before.zip"));
    fs::write(&now, made.evidence(&ALL)).unwrap();
    let status = Command::new("python3")
        .args(["-c", WITHOUT])
        .arg(&now)
        .arg(&before)
        .status();
    assert!(status.unwrap().success());
    let report = by_both(&fs::read(&before).unwrap(), &made.key);
    assert_eq!(report.exit_code(), 0, "{report}");
}
