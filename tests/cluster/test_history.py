"""The judge itself: a good history passes, and each way to spoil it is found by the rule that is there for it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from history import check as rules
from history.check import check
from history.record import NO, Checkpoint, History, Ledger, Place, Read, Stored, Write
from history.tree import consistent, node

ORGANIZATION = "acme"


def place(sequence: int) -> Place:
    return Place(f"id-{sequence}", sequence)


def stored(sequence: int, mark: str | None) -> Stored:
    return Stored(place(sequence), mark, f"2026-01-01T00:00:0{sequence}.000Z")


def good() -> History:
    """Three nodes; two requests, the second repeated on another node after no answer came, a third refused; reads in between."""
    history = History()
    history.writes += [
        Write(0, 1.0, 2.0, ORGANIZATION, 201, "one", ("a", "b"), (place(0), place(1))),
        Write(1, 2.5, 3.5, ORGANIZATION, None, "two", ("c",)),
        Write(2, 4.0, 5.0, ORGANIZATION, 201, "two", ("c",), (place(2),)),
        Write(0, 4.0, 4.5, ORGANIZATION, 503, "three", ("d",), stored=NO),
    ]
    history.reads += [
        Read(1, 0.5, 1.5, ORGANIZATION, 404, "count"),
        Read(1, 2.1, 2.2, ORGANIZATION, 200, "count", size=2, count=2),
        Read(2, 2.1, 2.3, ORGANIZATION, 200, "search", mark="a", size=2, seen=((place(0), "a"),)),
        Read(0, 5.5, 6.0, ORGANIZATION, 200, "page", size=4, seen=((place(3), None), (place(2), "c"), (place(0), "a"))),
        Read(2, 2.6, 2.9, ORGANIZATION, 404, "lookup", mark="c"),
    ]
    history.checkpoints += [
        Checkpoint(0, 2.0, 2.1, ORGANIZATION, 200, "log/acme", 2, b"r2"),
        Checkpoint(1, 6.0, 6.1, ORGANIZATION, 200, "log/acme", 4, b"r4"),
        Checkpoint(2, 6.0, 6.1, ORGANIZATION, 200, "log/acme", 2, b"r2"),
    ]
    events = (stored(0, "a"), stored(1, "b"), stored(2, "c"), stored(3, None))
    history.ledgers += [Ledger(number, ORGANIZATION, events) for number in range(3)]
    return history


def ledgers(history: History, *events: Stored, of: range = range(3)) -> None:
    """What these nodes show at the end."""
    for number in of:
        history.ledgers[number] = replace(history.ledgers[number], events=events)


def test_a_good_history_passes():
    assert check(good()) == []


def lost(history: History) -> None:
    ledgers(history, stored(0, "a"), stored(1, "b"))


def lost_on_one_node(history: History) -> None:
    ledgers(history, *history.ledgers[0].events[:3], of=range(2, 3))


def moved(history: History) -> None:
    ledgers(history, stored(0, "b"), stored(1, "a"), stored(2, "c"), stored(3, None))


def gap(history: History) -> None:
    ledgers(history, stored(0, "a"), stored(1, "b"), stored(2, "c"), stored(4, None))


def one_sequence_twice(history: History) -> None:
    ledgers(history, stored(0, "a"), stored(1, "b"), stored(2, "c"), stored(2, None))


def back_in_time(history: History) -> None:
    ledgers(history, stored(0, "a"), replace(stored(1, "b"), received_at="2025-12-31T23:59:59.999Z"), stored(2, "c"))


def doubled(history: History) -> None:
    ledgers(history, stored(0, "a"), stored(1, "b"), stored(2, "c"), stored(3, "c"))


def made_up(history: History) -> None:
    ledgers(history, stored(0, "a"), stored(1, "b"), stored(2, "c"), stored(3, "nobody's"))


def one_id_twice(history: History) -> None:
    ledgers(history, stored(0, "a"), stored(1, "b"), stored(2, "c"), replace(stored(3, None), place=Place("id-0", 3)))


def stored_though_refused(history: History) -> None:
    ledgers(history, stored(0, "a"), stored(1, "b"), stored(2, "c"), stored(3, "d"))


def another_receipt(history: History) -> None:
    history.writes[1] = replace(history.writes[1], status=201, receipt=(place(3),))


def seen_elsewhere(history: History) -> None:
    history.reads[2] = replace(history.reads[2], seen=((place(1), "a"),))


def too_small(history: History) -> None:
    history.reads[1] = replace(history.reads[1], size=1, count=1)


def not_found(history: History) -> None:
    history.reads[2] = replace(history.reads[2], seen=())


def looked_up_too_late(history: History) -> None:
    history.reads[4] = replace(history.reads[4], began=5.1, ended=5.2)


def counted_wrong(history: History) -> None:
    history.reads[1] = replace(history.reads[1], count=1)


def shrinking(history: History) -> None:
    history.reads.append(Read(1, 6.5, 6.6, ORGANIZATION, 200, "count", size=3, count=3))


def two_roots(history: History) -> None:
    history.checkpoints[2] = replace(history.checkpoints[2], root=b"other")


def signed_what_is_not_there(history: History) -> None:
    history.checkpoints[1] = replace(history.checkpoints[1], size=5)


def broken(history: History) -> None:
    history.reads[3] = replace(history.reads[3], status=500)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lost, rules.acknowledged_is_stored),
        (lost_on_one_node, rules.nodes_agree),
        (moved, rules.acknowledged_is_stored),
        (gap, rules.sequences_are_gapless),
        (one_sequence_twice, rules.sequences_are_gapless),
        (back_in_time, rules.sequences_are_gapless),
        (doubled, rules.nothing_is_doubled),
        (made_up, rules.nothing_is_doubled),
        (one_id_twice, rules.nothing_is_doubled),
        (stored_though_refused, rules.refused_is_absent),
        (another_receipt, rules.repetitions_answer_the_same),
        (seen_elsewhere, rules.places_never_change),
        (too_small, rules.acknowledged_is_visible),
        (not_found, rules.acknowledged_is_visible),
        (looked_up_too_late, rules.acknowledged_is_visible),
        (counted_wrong, rules.acknowledged_is_visible),
        (shrinking, rules.reads_are_monotonic),
        (two_roots, rules.checkpoints_do_not_contradict),
        (signed_what_is_not_there, rules.checkpoints_do_not_contradict),
        (broken, rules.faults_explain_answers),
    ],
)
def test_a_spoiled_history_is_found_by_its_rule(spoil: Callable[[History], None], rule: rules.Rule):
    history = good()
    spoil(history)
    assert list(rule(history)), "the rule finds it"
    assert check(history), "and so does the judge"


def test_overlapping_reads_may_come_in_any_order():
    history = good()
    history.reads.append(Read(2, 5.0, 5.6, ORGANIZATION, 200, "count", size=3, count=3))
    assert check(history) == []


def test_many_faults_of_a_kind_are_told_by_few_examples():
    history = good()
    history.reads += [Read(1, 7.0, 7.1, ORGANIZATION, 500, "count")] * 40
    assert len(check(history)) == rules.EXAMPLES + 1 and "35 more" in check(history)[-1]


def root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(root(leaves[:split]), root(leaves[split:]))


def proof(first: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 9162, 2.1.4.1, as it is written there."""
    if first == len(leaves):
        return [] if whole else [root(leaves)]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if first <= split:
        return [*proof(first, leaves[:split], whole), root(leaves[split:])]
    return [*proof(first - split, leaves[split:], False), root(leaves[:split])]


def test_consistency_holds_between_all_sizes_and_with_nothing_else():
    leaves = [hashlib.sha256(bytes([0, number])).digest() for number in range(20)]
    for second in range(1, 21):
        for first in range(1, second + 1):
            older, newer = (first, root(leaves[:first])), (second, root(leaves[:second]))
            hashes = proof(first, leaves[:second])
            assert consistent(older, newer, hashes), (first, second)
            if first < second:
                assert not consistent((first, b"x" * 32), newer, hashes) and not consistent(older, (second, b"x" * 32), hashes)
                assert not consistent(older, newer, [*hashes, hashes[-1]]) and not consistent(older, newer, hashes[:-1])
