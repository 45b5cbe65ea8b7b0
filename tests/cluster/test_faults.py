"""Clients write and read on three nodes while something breaks. At the end of each story: `Cluster.proven`."""

import random
import time

import pytest

from harness.waiting import until
from load.clients import Load
from machines.proxy import Loss, Proxy

#: Names the run: the same seed loses the same COMMITs.
SEED = 11
#: What S3 does wrong: it refuses, is slow, loses requests, loses answers after storing, is down.
BAD_DAYS = [
    {"error_rate": 0.5, "status": 500},
    {"error_rate": 0.5, "status": 503},
    {"delay_ms": 500},
    {"cut_before": 0.3},
    {"cut_after": 0.4, "only": "PUT"},
    {"error_rate": 1.0, "status": 500},
]


def test_without_faults_every_request_is_answered_well(assemble, organizations):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(250)
    assert {write.node for write in load.history.writes if write.acknowledged} == {0, 1, 2}, "all nodes take writes"
    statuses = {one.status for one in [*load.history.writes, *load.history.reads]}
    assert statuses <= {200, 201, 404}, statuses
    cluster.proven(load.history, organizations)


def test_nodes_are_killed_in_turn_and_started_again(assemble, organizations):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        for node in cluster:
            load.goes_on(30)
            node.kill()
            load.goes_on(30)
            node.start()
        load.goes_on(30)
    cluster.proven(load.history, organizations)


def test_two_of_three_nodes_are_killed_at_once(assemble, organizations):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(40)
        cluster[0].kill()
        cluster[2].kill()
        load.goes_on(40)
        cluster.until_ready()
        load.goes_on(40)
    cluster.proven(load.history, organizations)


def test_a_node_that_is_paused_holds_nobody_up_and_takes_part_again(assemble, organizations):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        for node in cluster[:2]:
            load.goes_on(30)
            node.pause()
            # It may be paused while it holds the order of commits: then PostgreSQL has to end its session.
            load.goes_on(25, seconds=40)
            node.resume()
        load.goes_on(30)
    cluster.proven(load.history, organizations)


def test_postgres_crashes_and_recovers(assemble, organizations, postgres):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        for mode in ("immediate", "fast"):
            load.goes_on(40)
            postgres.stop(mode)
            goes_down(load)
            postgres.start()
            began = time.monotonic()
            load.goes_on(40)
            assert time.monotonic() - began < 15, "it takes up its work soon after"
    cluster.proven(load.history, organizations)


def test_connections_end_in_the_middle_of_commits(assemble, organizations, proxies):
    cluster = through(assemble, proxies)
    chance = random.Random(SEED)
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(20)
        for proxy in proxies:
            proxy.lose = lambda: chance.choice([Loss.BEFORE, Loss.AFTER]) if chance.random() < 0.1 else None
        load.goes_on(150)
        for proxy in proxies:
            proxy.calm()
        load.goes_on(30)
    for fate in (Loss.BEFORE, Loss.AFTER):
        assert all(proxy.lost[fate] > 0 for proxy in proxies), [(proxy.commits, proxy.lost) for proxy in proxies]
    cluster.proven(load.history, organizations)


def test_an_answer_to_a_commit_never_comes(assemble, organizations, proxies):
    cluster = through(assemble, proxies)
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(30)
        proxies[1].lose = once(Loss.SILENT)
        load.goes_on(50)
        # The node gives the connection up, and asks on another one what became of the commit.
        cluster[1].until_ready(60)
        load.goes_on(40)
    assert proxies[1].lost[Loss.SILENT] == 1
    cluster.proven(load.history, organizations)


def test_a_node_loses_its_way_to_postgres_and_finds_it_again(assemble, organizations, proxies):
    cluster = through(assemble, proxies)
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(30)
        proxies[1].refusing = True
        proxies[1].cut()
        load.goes_on(30)
        proxies[1].calm()
        cluster[1].until_ready(30)
        # The same without a word: packets are lost, and nobody is told.
        proxies[0].hang()
        load.goes_on(60, seconds=40)
        proxies[0].calm()
        cluster[0].until_ready(60)
        load.goes_on(40)
    cluster.proven(load.history, organizations)


def test_s3_has_bad_days_while_segments_are_made(assemble, organizations, s3):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(50)
        for faults in BAD_DAYS:
            s3.trouble(**faults)
            before = s3.asked("PUT")
            load.goes_on(50)
            # It is within the making of segments that it must not matter.
            until("something is stored on this day", lambda: s3.asked("PUT") > before, 30)
        s3.calm()
        load.goes_on(30)
    cluster.sealed()
    cluster.proven(load.history, organizations)


@pytest.mark.slow
def test_everything_breaks_for_minutes(assemble, organizations, postgres, s3, proxies, minutes):
    """Faults drawn at random, one upon another, for as long as was asked for."""
    chance = random.Random(SEED)
    cluster = through(assemble, proxies)
    ends = time.monotonic() + 60 * minutes
    with Load(cluster.nodes, organizations, seed=SEED) as load:
        while time.monotonic() < ends:
            chance.choice(STORY)(cluster, postgres, s3, proxies, chance)
            load.goes_on(chance.randrange(10, 60), seconds=90)
            if chance.random() < 0.4:
                everything_is_well(cluster, postgres, s3, proxies)
        everything_is_well(cluster, postgres, s3, proxies)
        load.goes_on(100, seconds=90)
    cluster.proven(load.history, organizations)


def everything_is_well(cluster, postgres, s3, proxies) -> None:
    """Whatever was broken is whole again."""
    if not postgres.runs:
        postgres.start()
    s3.calm()
    for proxy in proxies:
        proxy.calm()
    for node in cluster:
        if node.paused:
            node.resume()
    cluster.until_ready()


def a_node_is_killed(cluster, postgres, s3, proxies, chance) -> None:
    # One may be down and one may be paused at a time, so that somebody is left.
    for node in cluster:
        if not node.runs:
            node.start(ready=False)
    chance.choice([node for node in cluster if not node.paused]).kill()


def a_node_is_paused(cluster, postgres, s3, proxies, chance) -> None:
    for node in cluster:
        if node.paused:
            node.resume()
    running = [node for node in cluster if node.runs]
    if len(running) > 1:
        chance.choice(running).pause()


def postgres_is_restarted(cluster, postgres, s3, proxies, chance) -> None:
    postgres.stop(chance.choice(["immediate", "fast"]))
    postgres.start()


def connections_are_cut(cluster, postgres, s3, proxies, chance) -> None:
    chance.choice(proxies).cut()


def commits_are_lost(cluster, postgres, s3, proxies, chance) -> None:
    fate = chance.choice([Loss.BEFORE, Loss.AFTER])
    chance.choice(proxies).lose = lambda: fate if chance.random() < 0.1 else None


def s3_is_bad(cluster, postgres, s3, proxies, chance) -> None:
    s3.trouble(**chance.choice(BAD_DAYS))


STORY = [a_node_is_killed, a_node_is_paused, postgres_is_restarted, connections_are_cut, commits_are_lost, s3_is_bad]


def through(assemble, proxies: list[Proxy]):
    """A cluster each of whose nodes finds PostgreSQL behind a proxy of its own."""
    return assemble([(proxy.port,) for proxy in proxies])


def once(fate: str):
    """Loses the next COMMIT, and no other."""
    fates = iter([fate])
    return lambda: next(fates, None)


def goes_down(load: Load, seconds: float = 20) -> None:
    """Waits until clients have noticed: some tries were refused or not answered."""
    before = len(load.history.writes)
    until("clients notice", lambda: any(not write.acknowledged for write in load.history.writes[before:]), seconds)
