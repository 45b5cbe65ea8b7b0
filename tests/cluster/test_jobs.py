"""Background work: done by one node at a time as a rule, by two at once without harm, and by another soon after a node is gone."""

import threading
import time
from collections.abc import Callable

import pytest

from counterparts.webhook import Webhooks
from harness.exports import Exports
from harness.trailbook import Streams
from harness.waiting import until
from history.record import UNKNOWN
from load.clients import Load, event
from machines.cluster import Cluster, fresh

#: What the issue grants for a dead node's work to go on.
TAKEN_OVER_SECONDS = 30


@pytest.fixture
def webhooks():
    made = Webhooks()
    yield made
    made.stop()


def test_all_nodes_believe_to_own_every_job_at_once(assemble, organizations, postgres, s3):
    """Leases are taken away all the time, while objects take long to store: what one node seals and merges, others do as well."""
    cluster = assemble()
    # Longer than nodes wait before they look again whether a job is somebody's.
    s3.trouble(delay_ms=2500, only="PUT")
    with Load(cluster.nodes, organizations) as load, Repeatedly(lambda: forget_leases(cluster, postgres)):
        load.goes_on(100)
        until("all nodes have sealed, or were told that another one was faster", lambda: at_work(cluster) == len(cluster.nodes), 90)
    s3.calm()
    cluster.sealed()
    cluster.proven(load.history, organizations)


@pytest.mark.slow
def test_a_node_that_is_paused_while_it_seals_wakes_up_to_work_that_is_done(assemble, organizations, postgres, s3):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        for node in cluster:
            # Whoever seals is within the storing of an object for most of the time.
            s3.trouble(delay_ms=1500, only="PUT")
            load.goes_on(40)
            node.pause()
            forget_leases(cluster, postgres)
            s3.calm()
            load.goes_on(30, seconds=60)
            node.resume()
    cluster.sealed()
    cluster.proven(load.history, organizations)


def test_a_node_that_is_drained_loses_no_request_and_leaves_its_work_to_others(assemble, organizations, webhooks):
    cluster = assemble(private_destinations="127.0.0.0/8")
    organization, place = organizations[0], webhooks.place(fresh("drained"))
    cluster[0].send([event(organization)])
    Streams(cluster[0], organization).create(place)
    with Load(cluster.nodes, organizations) as load:
        for node in cluster:
            load.goes_on(60)
            before = len(load.history.writes)
            assert node.drain() < 15
            tries = [write for write in load.history.writes[before:] if write.node == node.number and not write.acknowledged]
            lost = [write for write in tries if write.stored == UNKNOWN]
            assert not lost, f"requests that a draining node took and did not answer: {lost}"
            # Its leases were given back: nobody waits for their end.
            everything_is_done(cluster, organization, place, seconds=15)
            load.goes_on(30)
            node.start()
    cluster.proven(load.history, organizations)


@pytest.mark.slow
def test_a_node_that_is_paused_for_longer_than_its_leases_does_no_harm(assemble, organizations):
    cluster = assemble()
    with Load(cluster.nodes, organizations) as load:
        for node in cluster:
            load.goes_on(40)
            node.pause()
            begins = time.monotonic()
            load.goes_on(40, seconds=60)
            until("its leases have ended", lambda: time.monotonic() - begins > TAKEN_OVER_SECONDS + 5, 60)
            node.resume()
    cluster.proven(load.history, organizations)


@pytest.mark.slow
def test_a_node_that_is_paused_until_nobody_remembers_what_it_missed_ends_and_starts_again(assemble, organizations, postgres):
    cluster = assemble()
    sleeper = cluster[0]
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(40)
        newest = postgres.sql("select number from counter", cluster.database)
        sleeper.pause()
        missed = f"select count(*) from log where number = {int(newest) + 10}"
        until("what it missed was there", lambda: postgres.sql(missed, cluster.database) == "1", 60)
        until("what it missed is gone", lambda: postgres.sql(missed, cluster.database) == "0", 240)
        sleeper.resume()
        until("the node has ended", lambda: not sleeper.runs, 60)
        sleeper.start()
        load.goes_on(40)
    assert "start again" in sleeper.said()
    cluster.proven(load.history, organizations)


@pytest.mark.slow
def test_the_work_of_a_killed_node_is_taken_over(assemble, organizations, webhooks):
    """One node has all the work, because it was there alone; then it is killed."""
    cluster = assemble(private_destinations="127.0.0.0/8", public_url="https://log.trailbook.example")
    owner, *others = cluster
    for node in others:
        node.drain()
    organization, place = organizations[0], webhooks.place(fresh("killed"))
    owner.send([event(organization)])
    Streams(owner, organization).create(place)
    everything_is_done(cluster, organization, place, node=owner, seconds=40)
    for node in others:
        node.start()
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(60)
        exported = Exports(owner, organization).ask(format="jsonl", scope="all").expect(202).json
        owner.kill()
        killed = time.monotonic()
        load.goes_on(40)
    taken = others[0].stored(organization)
    everything_is_done(cluster, organization, place, node=others[0], seconds=TAKEN_OVER_SECONDS + 15)
    seconds = time.monotonic() - killed
    print(f"taken over after {seconds:.1f} s")
    ready = Exports(others[1], organization).until_ready(exported["id"], 60)
    assert ready["rows"] > 0 and Exports(others[1], organization).download(ready).expect(200).body
    assert {one["id"] for one in place.read()} >= {one["id"] for one in taken}
    cluster.proven(load.history, organizations)


class Repeatedly:
    """Does something again and again while a story goes on."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.go, args=(work,), daemon=True)

    def go(self, work: Callable[[], object]) -> None:
        while not self.ended.wait(0.1):
            work()

    def __enter__(self) -> "Repeatedly":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join(30)


def forget_leases(cluster: Cluster, postgres) -> None:
    """Nobody has a lease any more in the database; whoever works does not know."""
    postgres.sql("delete from leases", cluster.database)


def at_work(cluster: Cluster) -> int:
    """How many nodes sealed, to the end or until the commit that came too late."""
    return sum(node.metric("trailbook_job_seal_seconds_count") > 0 or "the tail is sealed further" in node.said() for node in cluster)


def everything_is_done(cluster: Cluster, organization: str, place, seconds: float, node=None) -> None:
    """What is stored now is sealed and delivered before the time is over."""
    node = node or next(one for one in cluster if one.runs)
    newest = node.stored(organization)[-1]

    def done() -> bool:
        delivered = {one["id"] for one in place.read()}
        assert newest["id"] in delivered, "the stream does not go on"
        assert node.metric("trailbook_seal_lag_seconds") < seconds, "sealing does not go on"
        return True

    until("another node works", done, seconds)
