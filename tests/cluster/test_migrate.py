"""From one machine to many: what one node had is on three, with the same heads, and the log goes on."""

import os
import subprocess

from harness.trailbook import ROOT_KEY
from load.clients import Load
from machines.cluster import EAGER, KEYS, Cluster, fresh
from machines.postgres import url


def test_a_log_moves_from_one_machine_to_three_nodes_and_goes_on(binary, tmp_path, postgres, s3, organizations):
    one = Cluster(binary, tmp_path / "one", [EAGER | KEYS])
    with Load(one.nodes, organizations) as load:
        load.goes_on(60)
    (node,) = one
    before = {of: one.checkpoint(node, of) for of in organizations}
    node.drain()

    name = fresh("log")
    postgres.database(name)
    settings = KEYS | EAGER | s3.settings(name) | {"database": url(name, postgres.port)}
    named = settings | {"root_key": ROOT_KEY, "data": str(tmp_path / "mover")}
    environment = os.environ | {f"TRAILBOOK_{setting.upper()}": value for setting, value in named.items()}
    command = [binary, "migrate", "--from", tmp_path / "one" / "node0" / "data"]
    moved = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert moved.returncode == 0, moved.stderr
    assert "all heads are equal" in moved.stdout
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "not empty" in again.stderr

    many = Cluster(binary, tmp_path / "many", [settings] * 3, name)
    try:
        for of in organizations:
            after = many.checkpoint(many.nodes[1], of)
            assert (after.size, after.root) == (before[of].size, before[of].root)
        # Keys that were used before the move are known after it: these are others.
        with Load(many.nodes, [fresh("moved")], seed=load.seed + 1) as more:
            more.goes_on(30)
        many.proven(load.history, organizations)
    finally:
        many.stop()
