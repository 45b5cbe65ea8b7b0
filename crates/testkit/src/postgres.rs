//! PostgreSQL servers for tests: started on demand, on a free port of this machine, gone when nobody needs them.
//!
//! Tests run in processes of their own. They share one server: whoever comes first starts it, a watchdog ends it once all who used it
//! have ended, however they ended.
//!
//! Invariants
//! - Whoever uses a server has a shared lock on its `users.lock`; it is started and ended under the lock on `start.lock`.
//! - It syncs as in production: tests may kill it.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// Memory if the machine has such a directory: what is synced there costs nothing.
const MEMORY: &str = "/dev/shm";
/// The only user; whoever connects from this machine is trusted.
const USER: &str = "trailbook";
/// Ends the server once nobody uses it. Given: its directory, what to remove then, how to run `pg_ctl`.
const WATCHDOG: &str = r#"
cd "$1" || exit
while sleep 3; do
    [ -e users.lock ] || exit
    flock start.lock flock -n users.lock sh -c '$2 -D data -m immediate stop; rm -rf "$1"' - "$2" "$3" && exit
done"#;

static NEXT: AtomicU32 = AtomicU32::new(0);

fn unique(what: &str) -> String {
    format!("{what}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A running server. It may go on running when this is dropped, until all who use it have ended.
pub struct PostgresServer {
    directory: PathBuf,
    port: u16,
    is_own: bool,
    _in_use: File,
}

impl PostgresServer {
    /// The server that all tests of this user on this machine share.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn shared() -> Self {
        Self::at(&format!("trailbook-postgres-{}", user_id()), false)
    }

    /// A server of one's own, to be stopped and started.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn own() -> Self {
        Self::at(&format!("trailbook-{}", unique("postgres")), true)
    }

    fn at(name: &str, is_own: bool) -> Self {
        let memory = Path::new(MEMORY);
        let base = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let directory = base.join(name);
        fs::create_dir_all(&directory).expect("a directory for the server");
        let starting = File::create(directory.join("start.lock")).expect("start.lock");
        starting.lock().expect("the lock on start.lock");
        let in_use = File::create(directory.join("users.lock")).expect("users.lock");
        in_use.lock_shared().expect("a lock on users.lock");
        let port = directory.join("data/port");
        let known = fs::read_to_string(&port).ok().and_then(|port| port.trim().parse().ok());
        let mut server = Self {
            port: known.unwrap_or_default(),
            directory,
            is_own,
            _in_use: in_use,
        };
        if known.is_none() || !server.is_running() {
            server.initialize();
        }
        server
    }

    fn initialize(&mut self) {
        let data = self.data();
        // Of a server that was killed with its machine.
        let _ = fs::remove_dir_all(&data);
        if user_id() == 0 {
            run(Command::new("install")
                .args(["-d", "-m", "700", "-o", "postgres"])
                .arg(&data));
        }
        let flags = ["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync", "-D"];
        run(program("initdb").args(flags).arg(&data));
        // Between finding a free port and using it somebody else may take it.
        let started = (0..5).any(|_| {
            self.port = free_port();
            self.start_on_port().status().is_ok_and(|status| status.success())
        });
        assert!(
            started,
            "PostgreSQL does not start: see {}",
            data.join("server.log").display()
        );
        fs::write(data.join("port"), self.port.to_string()).expect("the file with the port");
        self.watch();
    }

    /// Has it ended when nobody uses it any more, also when this process is killed.
    fn watch(&self) {
        let control = program("pg_ctl");
        let words = std::iter::once(control.get_program()).chain(control.get_args());
        let control: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let removed = if self.is_own {
            self.directory.clone()
        } else {
            self.data()
        };
        let mut watchdog = Command::new("setsid");
        watchdog
            .args(["--fork", "sh", "-c", WATCHDOG, "-"])
            .arg(&self.directory);
        watchdog.arg(removed).arg(control.join(" ")).stdin(Stdio::null());
        run(watchdog.stdout(Stdio::null()).stderr(Stdio::null()));
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn is_running(&self) -> bool {
        let port = self.port.to_string();
        let ready = program("pg_isready")
            .args(["-q", "-h", "127.0.0.1", "-p", &port])
            .status();
        ready.is_ok_and(|status| status.success())
    }

    fn start_on_port(&self) -> Command {
        let data = self.data();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{}' -c max_connections=200 -c shared_buffers=64MB",
            self.port,
            data.display()
        );
        let mut start = program("pg_ctl");
        start.arg("-D").arg(&data).arg("-l").arg(data.join("server.log"));
        start.args(["-w", "-o", &options, "start"]);
        start
    }

    /// Starts it again, on the same port.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&self) {
        run(&mut self.start_on_port());
    }

    /// Stops it, as if its machine had failed.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self) {
        run(program("pg_ctl")
            .arg("-D")
            .arg(self.data())
            .args(["-w", "-m", "immediate", "stop"]));
    }

    /// Puts a file into the directory of its data, where it can read it and nobody else.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let written = self.directory.join(name);
        fs::write(&written, bytes).expect("a file for the server");
        let mut install = Command::new("install");
        if user_id() == 0 {
            install.args(["-o", "postgres"]);
        }
        run(install.args(["-m", "600"]).arg(written).arg(self.data().join(name)));
    }

    /// The port that it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// An empty database.
    ///
    /// # Panics
    /// When it cannot be created.
    pub fn database(&self) -> PostgresDatabase {
        let (name, port) = (unique("test"), self.port);
        run(client("createdb", port).args(["-T", "template0", &name]));
        PostgresDatabase { name, port }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.is_own {
            let mut stop = program("pg_ctl");
            stop.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]);
            let _ = stop.status();
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// A database; dropping this drops it.
pub struct PostgresDatabase {
    name: String,
    port: u16,
}

impl PostgresDatabase {
    /// Where it is.
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// Where it is for whoever comes through another port.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/{}", self.name)
    }
}

impl PostgresDatabase {
    /// A database that says what this one says. Whoever is connected to this one is cut off.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn copied(&self) -> Self {
        let (name, port) = (unique("test"), self.port);
        let cut_off = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        run(client("psql", port).args(["-q", "-d", "postgres", "-c", &cut_off]));
        run(client("createdb", port).args(["-T", &self.name, &name]));
        Self { name, port }
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let _ = client("dropdb", self.port)
            .args(["--force", "--if-exists", &self.name])
            .status();
    }
}

/// A database on the shared server, for suites that work on either engine.
pub struct AskedDatabase {
    // Dropped in this order.
    database: PostgresDatabase,
    _server: PostgresServer,
}

impl AskedDatabase {
    /// An empty one, when `TRAILBOOK_TEST_DATABASE` is `postgres`.
    ///
    /// # Panics
    /// As [`PostgresServer::shared`].
    pub fn when_asked() -> Option<Self> {
        #[allow(clippy::disallowed_methods, reason = "whoever runs the tests says so")]
        let is_asked = std::env::var("TRAILBOOK_TEST_DATABASE").is_ok_and(|engine| engine == "postgres");
        is_asked.then(|| {
            let server = PostgresServer::shared();
            Self {
                database: server.database(),
                _server: server,
            }
        })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.database.url()
    }

    /// As [`PostgresDatabase::copied`].
    ///
    /// # Panics
    /// When it cannot be copied.
    #[must_use]
    pub fn copied(&self) -> Self {
        Self {
            database: self.database.copied(),
            _server: PostgresServer::shared(),
        }
    }
}

fn client(name: &str, port: u16) -> Command {
    let mut command = program(name);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", USER]);
    command
}

/// A program of PostgreSQL, which refuses to serve root.
fn program(name: &str) -> Command {
    let path = installed(name);
    let mut command = if user_id() == 0 {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    command
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Where Debian puts it, the newest first; elsewhere it is in the path.
fn installed(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin").join(name));
    programs
        .filter(|path| path.is_file())
        .max()
        .unwrap_or_else(|| name.into())
}

fn run(command: &mut Command) {
    let status = command.status();
    assert!(
        status.as_ref().is_ok_and(|status| status.success()),
        "is PostgreSQL installed (apt-get install postgresql)? {command:?}: {status:?}"
    );
}

fn user_id() -> u32 {
    let output = Command::new("id").arg("-u").output().expect("the program id");
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .expect("the number of this user")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its number").port()
}
