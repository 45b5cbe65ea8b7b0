"""One comparison: every system in turn, phase by phase, each phase a process; then whether they agree."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .. import comparison as ingest
from .. import machine, postgresql, trailbook
from . import questions
from .questions import Question

TRAILBOOK = "trailbook"
SHAPES = {"zipf": [], "handful": ["--organizations", "100000", "--equal"]}
"""How events are spread over organizations, as options of the load client."""


@dataclass
class Options:
    """What is measured, with what, and where."""

    server: Path
    client: Path
    scratch: Path
    keep: Path
    events: int
    shape: str
    systems: list[str]
    rounds: int
    cold: int
    timeout_seconds: int
    seed: int = 1


@dataclass
class Measured:
    """Everything that was measured, and on what."""

    events: int
    shape: str
    machine: str
    filesystem: str
    load_average: float
    rounds: int
    cold: int
    systems: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Told by the phases of each system, or its `fault`."""
    ingest: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    compared: int = 0


def measure(options: Options) -> Measured:
    """Measures whatever has no result in the directory of results yet."""
    asked = questions.choose(options.client, options.events, stream(options))
    questions.store(options.keep / "questions.json", asked)
    measured = Measured(
        options.events,
        options.shape,
        machine.description(),
        machine.filesystem(options.scratch),
        machine.load(),
        options.rounds,
        options.cold,
    )
    for name in options.systems:
        path = options.keep / f"{name}.json"
        told = json.loads(path.read_text()) if path.exists() else _system(name, options)
        if "fault" not in told:
            path.write_text(json.dumps(told))
        measured.systems[name] = told
    if TRAILBOOK in options.systems:
        path = options.keep / "ingest.json"
        if not path.exists():
            path.write_text(json.dumps(_ingest(options)))
        measured.ingest = json.loads(path.read_text())
    _compare(measured, asked)
    return measured


def stream(options: Options) -> list[str]:
    """The options of the load client that name the stream of events; everybody gets the same ones."""
    return ["--fill", str(options.events), "--seed", str(options.seed), *SHAPES[options.shape]]


def _system(name: str, options: Options) -> dict[str, Any]:
    """All phases of one system; a peer that fails is told of, so that the others still are measured."""
    if name == "postgres":
        postgresql.install()
    directory = options.scratch / name
    directory.mkdir()
    directory.chmod(0o755)
    settings = {
        "system": name,
        "server": str(options.server),
        "client": str(options.client),
        "directory": str(directory),
        "questions": str(options.keep / "questions.json"),
        "stream": stream(options),
        **{key: value for key, value in asdict(options).items() if key in ("events", "rounds", "cold")},
    }
    print(f"{name}: load", file=sys.stderr, flush=True)
    try:
        told = _phase("load", settings, options.timeout_seconds)
        print(f"{name}: {told['load']['events_per_second']:,.0f} events/s; questions", file=sys.stderr, flush=True)
        told |= _phase("warm", settings, options.timeout_seconds)
        print(f"{name}: cold questions", file=sys.stderr, flush=True)
        turns = [_phase("cold", settings | {"turn": turn}, options.timeout_seconds) for turn in range(options.cold)]
        cold = {kind: [turn["cold"][kind] for turn in turns] for kind in (turns[0]["cold"] if turns else [])}
        return told | {"cold": cold} | {key: [turn[key] for turn in turns] for key in ("first", "ready_seconds")}
    except RuntimeError as fault:
        print(f"{name}: {fault}", file=sys.stderr, flush=True)
        return {"fault": str(fault)[-2000:]}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _phase(phase: str, settings: dict[str, Any], seconds: int) -> dict[str, Any]:
    bench = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "harness.history.worker", phase, json.dumps(settings)]
    environment = os.environ | {"PYTHONPATH": str(bench)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            text, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            raise RuntimeError(f"the phase {phase!r} did not end within {seconds} s") from late
        finally:
            _end(process)
    if process.returncode != 0:
        raise RuntimeError(f"the phase {phase!r} failed; what it said is above")
    return json.loads(text.splitlines()[-1])


def _end(process: subprocess.Popen) -> None:
    """A worker stops its server when it is asked to; one that does not is ended with everything that it started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _ingest(options: Options) -> dict[str, float]:
    """A burst and single events once, for the goals that are not about history; `bench/run` measures them thoroughly."""
    print("trailbook: burst and single events", file=sys.stderr, flush=True)
    sizes = ingest.Sizes() if options.events >= 1_000_000 else ingest.QUICK
    told = {}
    with trailbook.running(options.server, options.client, options.scratch) as subject:
        told["burst"] = subject.ingest(sizes.client_ids, options.seed).events_per_second
    with trailbook.running(options.server, options.client, options.scratch) as subject:
        told["single"] = subject.single(sizes.single // 2, options.seed).events_per_second
    return told


def _compare(measured: Measured, asked: list[Question]) -> None:
    """Holds everybody's answers against Trailbook's."""
    answers = {name: told["warm"] for name, told in measured.systems.items() if "warm" in told}
    own = answers.pop(TRAILBOOK, None)
    if own is None:
        return
    for name, theirs in answers.items():
        for kind in own:
            filters = [question.filter for question in asked if f"{question.kind} {question.size}" == kind]
            for question, ours, other in zip(filters, own[kind]["answers"], theirs[kind]["answers"], strict=True):
                measured.compared += 1
                if ours != other:
                    measured.differences.append(f"{kind}, {question}: Trailbook {_short(ours)}, {name} {_short(other)}")
    for name, told in measured.systems.items():
        expected = measured.systems[TRAILBOOK]["export"]["rows"]
        if "export" in told and told["export"]["rows"] != expected:
            measured.differences.append(f"export: Trailbook {expected} rows, {name} {told['export']['rows']}")


def _short(answer: Any) -> str:
    text = json.dumps(answer)
    return text if len(text) < 200 else f"{text[:200]}… ({len(text)} characters)"
