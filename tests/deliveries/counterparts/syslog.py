"""Syslog: Debian's rsyslog over plain TCP and TLS, which parses by RFC 5424 itself and writes what it understood as JSON."""

import json
import shutil
from pathlib import Path

import pycef

from counterparts.place import Place
from harness.certificates import Authority
from harness.process import Program
from harness.waiting import until

CONFIGURATION = """
global(workDirectory="{folder}" maxMessageSize="2m" parser.escapeControlCharactersOnReceive="off" net.enableDNS="off"
  defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" maxSessions="200")
template(name="parsed" type="string" string="%jsonmesg%\\n")
ruleset(name="plain") {{ action(type="omfile" file="{folder}/plain.json" template="parsed") }}
ruleset(name="tls") {{ action(type="omfile" file="{folder}/tls.json" template="parsed") }}
input(type="imtcp" port="{plain}" address="127.0.0.1" listenPortFileName="{folder}/plain.port" ruleset="plain"
  streamdriver.name="ptcp" streamdriver.mode="0")
input(type="imtcp" port="{tls}" address="127.0.0.1" listenPortFileName="{folder}/tls.port" ruleset="tls"
  streamdriver.name="ossl" streamdriver.mode="1" streamdriver.authmode="anon")
"""


class Syslog:
    """One daemon that listens twice. It keeps its ports when it is started again."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder, self.authority = folder / "syslog", authority
        self.folder.mkdir()
        self.ports = {"plain": 0, "tls": 0}
        self.start()

    def start(self) -> None:
        daemon = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert daemon, "rsyslogd is not installed; scripts/deliveries installs it"
        files = {"ca": self.authority.ca, "certificate": self.authority.certificate, "key": self.authority.key}
        configuration = self.folder / "rsyslog.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder, **files, **self.ports))
        for file in self.folder.glob("*.port"):
            file.unlink()
        self.program = Program([daemon, "-n", "-f", configuration, "-i", self.folder / "pid"], self.folder / "log")
        for name in self.ports:
            # It tells a port that it chose, and not one that it was given.
            self.ports[name] = self.ports[name] or until(f"rsyslog listens ({name})", lambda: self.port(name))
        for port in self.ports.values():
            self.program.ready("rsyslog", port)

    def port(self, name: str) -> int | None:
        file = self.folder / f"{name}.port"
        return int(text) if file.exists() and (text := file.read_text().strip()) else None

    def messages(self, name: str) -> list[dict]:
        """Everything that it understood, in the order of arrival, as its own parser took it apart."""
        file = self.folder / f"{name}.json"
        if not file.exists():
            return []
        # It writes a line feed within a message as it is; a message of ours has none.
        return [json.loads(line, strict=False) for line in file.read_text(errors="strict").split("\n") if line]

    def place(self, name: str, organization: str, tls: bool = False, format: str = "json") -> Place:
        """The events of one organization; a syslog server has no places of its own."""
        listener = "tls" if tls else "plain"

        def mine() -> list[dict]:
            return [message for message in self.messages(listener) if f'"{organization}"' in message["rawmsg"]]

        def payloads() -> list[dict]:
            if format == "cef":
                return [cef(message["msg"]) for message in mine()]
            return [json.loads(message["msg"].removeprefix("\ufeff")) for message in mine()]

        destination = {"type": "syslog", "host": "127.0.0.1", "port": self.ports[listener], "tls": tls, "format": format}
        if tls:
            destination["ca"] = self.authority.ca.read_text()
        return Place(destination=destination, secrets={}, read=payloads, extra={"messages": mine})

    def stop(self) -> None:
        self.program.stop()


def cef(message: str) -> dict:
    """A message of ArcSight's format, as the library `pycef` reads it."""
    read = pycef.parse(message.removeprefix("\ufeff"))
    assert read, f"not CEF: {message[:300]!r}"
    return read
