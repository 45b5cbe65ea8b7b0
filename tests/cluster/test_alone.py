"""One node with SQLite and a directory: the judge demands of it what it demands of many, and so is known to be fair."""

from load.clients import Load


def test_one_node_that_is_killed_again_and_again_has_a_history_of_one_log(alone, organizations):
    (node,) = alone
    with Load(alone.nodes, organizations) as load:
        for _ in range(4):
            load.goes_on(60)
            node.kill()
            node.start()
        load.goes_on(60)
    alone.proven(load.history, organizations)
