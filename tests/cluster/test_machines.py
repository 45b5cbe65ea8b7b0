"""The machines themselves: a test of a fault proves nothing where the fault does not happen."""

import subprocess

import pytest

from machines.cluster import fresh
from machines.postgres import BINARIES, PASSWORD, USER, Postgres
from machines.proxy import Loss, Proxy


def insert(proxy: Proxy, database: str) -> bool:
    """Whether a client was told that its transaction is committed."""
    where = ["-h", "127.0.0.1", "-p", proxy.port, "-U", USER, "-d", database]
    command = [BINARIES / "psql", *where, "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    script = "begin;\ninsert into there values (1);\ncommit;\n"
    try:
        done = subprocess.run(list(map(str, command)), input=script, text=True, capture_output=True, env={"PGPASSWORD": PASSWORD}, timeout=4)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@pytest.mark.parametrize(("fate", "committed"), [(Loss.BEFORE, "0"), (Loss.AFTER, "1"), (Loss.SILENT, "1"), (None, "1")])
def test_a_commit_is_lost_before_or_after_it_happened(postgres: Postgres, proxies, fate, committed):
    database, proxy = fresh("lost"), proxies[0]
    postgres.database(database)
    postgres.sql(f"create table there (number int); grant all on there to {USER}", database)
    proxy.lose = lambda: fate
    assert insert(proxy, database) is (fate is None)
    assert postgres.sql("select count(*) from there", database) == committed
    assert proxy.commits == 1 and (fate is None or proxy.lost[fate] == 1)


def test_a_standby_has_what_it_was_sent_and_takes_over(place):
    primary = Postgres(place / fresh("primary"))
    primary.sql("create table there (number int)")
    standby = primary.standby(place / fresh("standby"))
    primary.synchronous()
    primary.sql("insert into there values (1)")
    primary.stop("immediate")
    standby.promote()
    standby.sql("insert into there values (2)")
    assert standby.sql("select count(*) from there") == "2"
    standby.stop("immediate")


def test_a_crash_loses_nothing_that_was_committed(postgres: Postgres):
    postgres.sql("create table crashed (number int)")
    postgres.sql("insert into crashed values (1)")
    postgres.stop("immediate")
    postgres.start()
    assert postgres.sql("select count(*) from crashed") == "1"
