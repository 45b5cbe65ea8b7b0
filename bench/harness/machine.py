"""The machine: what it is, and what processes used of it (from /proc)."""

import os
import re
import socket
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def description() -> str:
    """Processor, cores and memory in one line."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    model = fields.get("model name") or fields.get("Hardware") or "unknown processor"
    return f"{model}, {os.cpu_count()} cores, {memory_bytes() / 2**30:.0f} GiB memory, Linux {os.uname().release}"


def memory_bytes() -> int:
    """Physical memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def load() -> float:
    """Average number of runnable processes over the last minute."""
    return os.getloadavg()[0]


def filesystem(path: Path) -> str:
    """The type of the file system that holds the path, such as `ext4`."""
    device = path.resolve().stat().st_dev
    major_minor = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[2] == major_minor:
            return fields[fields.index("-") + 1]
    return "unknown"


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def family_cpu_seconds(pid: int) -> float:
    """CPU seconds of a process, its living children, and those children that it has outlived."""
    seconds = 0.0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue  # It ended while we looked.
        fields = text.rpartition(") ")[2].split()
        own = int(entry.name) == pid
        if own or int(fields[1]) == pid:
            seconds += sum(map(int, fields[11:15 if own else 13])) / TICKS_PER_SECOND
    return seconds


def family(pid: int) -> list[int]:
    """A process and its living children."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(") ")[2].split()[1]
            except OSError:
                continue  # It ended while we looked.
            if int(parent) == pid:
                found.append(int(entry.name))
    return found


def held_bytes(pid: int) -> int:
    """Memory that a process and its children hold and could not give back by forgetting files: anonymous, and shared once."""
    anonymous, shared = 0, 0
    for member in family(pid):
        try:
            text = Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        sizes = {name: int(kib) * 1024 for name, kib in re.findall(r"(Rss\w+):\s+(\d+) kB", text)}
        anonymous += sizes.get("RssAnon", 0)
        shared = max(shared, sizes.get("RssShmem", 0))
    return anonymous + shared


def forget_files(directory: Path) -> None:
    """Drops the files below a directory from the page cache; their systems must not have them mapped."""
    os.sync()
    for path in directory.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
