"""PostgreSQL's place is taken by a standby: by one that has everything, and by one that lost commits."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.waiting import until
from history import check
from load.clients import ALL, Load, event
from machines.cluster import Cluster, fresh
from machines.node import Node, Unanswered
from machines.postgres import Postgres
from machines.proxy import Proxy


@pytest.fixture
def pair(place: Path) -> Iterator[list[Postgres]]:
    """Two servers of a test's own: the second follows the first."""
    primary = Postgres(place / fresh("primary"))
    servers = [primary, primary.standby(place / fresh("standby"))]
    yield servers
    for server in servers:
        server.stop("immediate")


def test_a_synchronous_standby_takes_over_and_nothing_is_lost(assemble, organizations, pair):
    primary, standby = pair
    cluster = assemble([(primary.port, standby.port)] * 3, source=primary)
    primary.synchronous()
    until("commits wait for the standby", lambda: "sync" in primary.sql("select sync_state from pg_stat_replication").split())
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(80)
        primary.stop("immediate")
        standby.promote()
        load.goes_on(80, seconds=60)
    cluster.proven(load.history, organizations)


def test_an_asynchronous_standby_that_lost_commits_is_noticed_by_every_node(assemble, organizations, pair):
    primary, standby = pair
    proxies = [Proxy(primary.port) for _ in range(3)]
    cluster = assemble([(proxy.port,) for proxy in proxies], source=primary)
    with Load(cluster.nodes, organizations) as load:
        load.goes_on(60)
        before = caught_up(primary, standby, cluster, organizations)
        standby.stop()
        load.goes_on(60)
    lost = signed(cluster, organizations)
    primary.stop("immediate")
    standby.start()
    standby.promote()
    for proxy in proxies:
        proxy.aim(standby.port)

    refuses_everywhere(cluster, organizations[0])
    # It is not only known to those who were there.
    cluster[1].kill()
    cluster[1].start(ready=False)
    refuses_everywhere(cluster, organizations[0])
    assert cluster[1].stored(organizations[0]), "what is there is still read"
    reasons = {node.number: reason(node, organizations[0]) for node in cluster}
    assert all("recover" in text for text in reasons.values()), f"the way out is named: {reasons}"

    cluster.stop()
    recovered(cluster[0], "a standby that lost commits took over")
    cluster.until_ready()
    with Load(cluster.nodes, organizations, seed=8) as after:
        after.goes_on(60)
    cluster.dump(after.history, organizations)
    rules = (check.nodes_agree, check.sequences_are_gapless, check.acknowledged_is_stored)
    faults = [fault for rule in rules for fault in rule(after.history)]
    assert not faults, "\n".join(faults)
    for ledger in after.history.ledgers:
        kept = before[ledger.organization]
        assert [one.place.id for one in ledger.events[: len(kept)]] == kept, "what the standby had is where it was"
    for organization in organizations:
        path = f"/v1/organizations/{organization}"
        key = cluster[0].get(f"{path}/checkpoint-key").json
        assert key["epoch"] == 2
        for node in cluster:
            until("the new epoch is signed", lambda: cluster.checkpoint(node, organization).origin == key["origin"])
            cluster.verified(node, organization, key["vkey"])
        old = [one for one in lost if one.organization == organization]
        assert old and all(one.origin != key["origin"] for one in old), "nothing is signed again under the old name"
    cluster.fsck()
    for proxy in proxies:
        proxy.stop()


def caught_up(primary: Postgres, standby: Postgres, cluster: Cluster, organizations: list[str]) -> dict[str, list[str]]:
    """The ids that the standby has for sure, by organization."""
    known = {organization: [event["id"] for event in cluster[0].stored(organization)] for organization in organizations}
    position = primary.sql("select pg_current_wal_flush_lsn()")
    until("the standby has it", lambda: standby.sql(f"select pg_last_wal_receive_lsn() >= '{position}'") == "t")
    return known


def signed(cluster: Cluster, organizations: list[str]) -> list:
    """The newest checkpoints, of what will be lost as well: the log has told others of it."""

    def newest(organization: str):
        size = cluster[0].get(f"/v1/organizations/{organization}/events/count?{ALL}").json["size"]
        checkpoint = cluster.checkpoint(cluster[0], organization)
        return checkpoint if checkpoint.size >= size else None

    return [until(f"all of {organization} is signed", lambda: newest(organization)) for organization in organizations]


def reason(node: Node, organization: str) -> str | None:
    """Why a node refuses to store; `None` when it does not answer. It must not store."""
    try:
        answer = node.ask("POST", "/v1/events", event(organization, fresh("refused")))
    except Unanswered:
        return None
    assert answer.status == 503, f"node {node.number} answers {answer.status}: {answer.text}"
    return answer.json["detail"] if answer.json["type"].endswith("writing-refused") else None


def refuses_everywhere(cluster: Cluster, organization: str) -> None:
    """Every node says that it will neither store nor sign, and none stores before it says so."""
    for node in cluster:
        until(f"node {node.number} refuses for good", lambda: reason(node, organization), 60)
        ready = node.ask("GET", "/readyz")
        assert ready.status == 503, f"node {node.number} is not ready: {ready.text}"


def recovered(node: Node, why: str) -> None:
    """The explicit way out."""
    command = [node.binary, "recover", "--data", node.data, "--new-epoch", "--reason", why]
    done = subprocess.run(command, env=node.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr}"
