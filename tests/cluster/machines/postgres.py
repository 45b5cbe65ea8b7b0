"""PostgreSQL as a process of its own: durable, stopped in any way, copied to a standby, which may take its place."""

import os
import shutil
import subprocess
from pathlib import Path

from harness.process import free_port

BINARIES = Path(os.environ.get("TRAILBOOK_POSTGRES", "/usr/lib/postgresql/15/bin"))
#: Who nodes are; nobody's password but that of a test, and still nothing that may stand in a log.
USER, PASSWORD = "trailbook", "a-password-of-postgres"
#: Programs of ours come from loopback with a password, the administrator by the socket, which only its owner reaches.
ACCESS = """\
local all postgres trust
local replication postgres trust
host all all 127.0.0.1/32 scram-sha-256
"""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "64MB",
    "max_connections": "100",
    # After a crash every file is synced, one by one unless told otherwise.
    "recovery_init_sync_method": "syncfs",
    "log_min_messages": "warning",
}


class Postgres:
    """A cluster in a directory, and its server. The port stays the same through restarts."""

    def __init__(self, folder: Path, *, empty: bool = True) -> None:
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        folder.mkdir(mode=0o700)
        self.prefix: list[str] = []
        if os.geteuid() == 0:
            # It refuses to run as root.
            self.prefix = ["runuser", "-u", "postgres", "--"]
            shutil.chown(folder, "postgres", "postgres")
        if empty:
            self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
            self.configure(SETTINGS)
            self.write("pg_hba.conf", ACCESS)
            self.start()
            self.sql(f"create role {USER} login password '{PASSWORD}'")

    def run(self, program: str, *arguments: object) -> str:
        """Runs one of its programs as its user."""
        command = [*self.prefix, str(BINARIES / program), *map(str, arguments)]
        # pg_ctl leaves a server behind that would keep a pipe open: what is said goes through a file.
        said = self.folder.parent / f"{self.folder.name}-{program}.said"
        with said.open("wb") as output:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", timeout=120)
        text = said.read_text(errors="replace")
        assert done.returncode == 0, f"{program}: {text}"
        return text

    def write(self, name: str, text: str) -> None:
        path = self.data / name
        path.write_text(text)
        if self.prefix:
            shutil.chown(path, "postgres", "postgres")

    def configure(self, settings: dict[str, str]) -> None:
        """Settings from the next start on, beside those that are there."""
        before = (self.data / "postgresql.auto.conf").read_text()
        self.write("postgresql.auto.conf", before + "".join(f"{name} = '{value}'\n" for name, value in settings.items()))

    def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        options = f"-p {self.port} -k {self.folder}"
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stops it: `fast` ends sessions, `immediate` is a crash, after which it recovers from its log."""
        if self.runs:
            self.run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", mode, "stop")

    @property
    def runs(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    def sql(self, text: str, database: str = "postgres") -> str:
        """What the administrator is answered: rows as lines, columns apart by `|`."""
        where = ["-h", str(self.folder), "-p", str(self.port), "-U", "postgres", "-d", database]
        return self.run("psql", *where, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", text).strip()

    def database(self, name: str) -> None:
        """A new, empty database for nodes."""
        self.sql(f"create database {name} owner {USER}")

    def standby(self, folder: Path) -> "Postgres":
        """A copy that follows this server."""
        other = Postgres(folder, empty=False)
        source = ["-h", str(self.folder), "-p", str(self.port), "-U", "postgres"]
        other.run("pg_basebackup", *source, "-D", other.data, "-R", "-X", "stream", "-c", "fast")
        other.start()
        return other

    def synchronous(self) -> None:
        """From now on a commit waits until a standby has it as well."""
        self.sql("alter system set synchronous_standby_names = '*'")
        self.sql("select pg_reload_conf()")

    def promote(self) -> None:
        """The standby takes the place of its source, with what it has."""
        self.run("pg_ctl", "-D", self.data, "-w", "promote")


def url(database: str, *ports: int) -> str:
    """How a node finds a database at one of these ports of loopback."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgres://{USER}:{PASSWORD}@{hosts}/{database}?sslmode=disable"
