//! A real identity provider (`oidc-provider` of npm, run by Node.js), and a browser for it.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

pub(crate) const REDIRECT_URI: &str = "https://logs.example/auth/callback";
const ATTEMPT_COOKIE: &str = "__Host-trailbook-sign-in";

/// The provider's process. Its clients are `rs256`, `es256` and `eddsa`.
pub(crate) struct IdentityProvider {
    process: Child,
    /// Kept open: the provider writes notices there, and ends when it cannot.
    _output: BufReader<ChildStdout>,
    pub(crate) issuer: String,
}

impl IdentityProvider {
    pub(crate) fn start() -> Self {
        let mut command = Command::new("node");
        command.arg(installed().join("provider.mjs")).arg(REDIRECT_URI);
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the test needs Node.js");
        let mut issuer = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://127.0.0.1:"), "{issuer:?}");
        Self {
            process,
            _output: output,
            issuer,
        }
    }

    /// Says who `name` is, for whoever types it into the provider's page.
    pub(crate) fn person(&self, name: &str, claims: &Value) {
        let url = format!("{}/people/{name}", self.issuer);
        ureq::put(url).send(claims.to_string()).unwrap();
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The provider's folder with its packages, as `npm ci` puts them there; made once.
fn installed() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc");
    let lock = fs::File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc.lock")).unwrap();
    // Each test is a process of its own.
    lock.lock().unwrap();
    let installed = fs::read(folder.join("installed.json")).ok();
    let wanted = fs::read(source.join("package-lock.json")).unwrap();
    fs::create_dir_all(&folder).unwrap();
    for name in ["package.json", "package-lock.json", "provider.mjs"] {
        fs::copy(source.join(name), folder.join(name)).unwrap();
    }
    if installed.as_ref() != Some(&wanted) {
        let mut command = Command::new("npm");
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let output = command.current_dir(&folder).output().expect("the test needs npm");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::write(folder.join("installed.json"), wanted).unwrap();
    }
    folder
}

/// Somebody's browser: cookies by server, and no redirect followed unasked.
pub(crate) struct Browser {
    agent: ureq::Agent,
    cookies: HashMap<(String, String), String>,
}

/// An answer as a browser has it.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false);
        Self {
            agent: config.build().into(),
            cookies: HashMap::new(),
        }
    }

    pub(crate) fn get(&mut self, url: &str) -> Page {
        let request = self.agent.get(url).header("Cookie", self.cookies_for(url));
        let answer = request.call().unwrap_or_else(|error| panic!("{url}: {error}"));
        self.page(url, answer)
    }

    fn submit(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let request = self.agent.post(url).header("Cookie", self.cookies_for(url));
        let answer = request.send_form(form.iter().copied()).unwrap();
        self.page(url, answer)
    }

    fn page(&mut self, url: &str, mut answer: ureq::http::Response<ureq::Body>) -> Page {
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap().to_owned();
        let set_cookies: Vec<String> = answer.headers().get_all("set-cookie").iter().map(text).collect();
        for cookie in &set_cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let key = (authority(url), name.to_owned());
            if value.is_empty() {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
        Page {
            status: answer.status().as_u16(),
            location: answer.headers().get("location").map(text),
            set_cookies,
            body: answer.body_mut().read_to_string().unwrap(),
        }
    }

    fn cookies_for(&self, url: &str) -> String {
        let authority = authority(url);
        let own = self.cookies.iter().filter(|((of, _), _)| *of == authority);
        own.map(|((_, name), value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// The cookie that binds a sign-in to this browser.
    pub(crate) fn attempt_cookie(&self) -> String {
        let known = self.cookies.iter().find(|((_, name), _)| name == ATTEMPT_COOKIE);
        known.expect("a sign-in was begun").1.clone()
    }

    /// Keeps the cookie of another browser, or one that was taken back.
    pub(crate) fn keep_attempt(&mut self, authority: &str, value: &str) {
        let key = (authority.to_owned(), ATTEMPT_COOKIE.to_owned());
        self.cookies.insert(key, value.to_owned());
    }

    /// Signs in as `name` on the provider's pages; the URL that the provider sends the browser back to.
    pub(crate) fn sign_in(&mut self, provider: &IdentityProvider, start: &str, name: &str) -> String {
        let mut url = start.to_owned();
        for _ in 0..20 {
            let page = self.get(&url);
            let next = match page.location {
                Some(next) => next,
                None => {
                    let prompt = if page.body.contains("value=\"login\"") {
                        "login"
                    } else {
                        "consent"
                    };
                    assert!(page.body.contains(&format!("value=\"{prompt}\"")), "{}", page.body);
                    let form = [("prompt", prompt), ("login", name), ("password", "any")];
                    self.submit(&url, &form).location.expect("on to the next page")
                }
            };
            url = match next.strip_prefix('/') {
                Some(path) => format!("{}/{path}", provider.issuer),
                None => next,
            };
            if !url.starts_with(&provider.issuer) {
                return url;
            }
        }
        panic!("the provider goes round in circles: {url}");
    }
}

fn authority(url: &str) -> String {
    url.split('/').nth(2).unwrap().to_owned()
}
