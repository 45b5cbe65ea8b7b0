"""Events that tests send: plain ones, and one of every kind that has made some format stumble."""

import itertools
import string

#: A counter for names: whatever is on a shared server, each test has organizations of its own.
_numbers = itertools.count()

#: Texts that some format or program takes for something else.
AWKWARD = [
    '=HYPERLINK("http://evil.example","click")',
    "+1+1",
    "-2+3",
    "@SUM(1,2)",
    "\tstarts with a tab",
    "\rstarts with a return",
    "two\nlines\r\nand three",
    'quotes "inside", commas; semicolons',
    "line separator \u2028 and paragraph separator \u2029",
    "emoji 🦊, right to left \u05e9\u05dc\u05d5\u05dd, combining e\u0301, outside the plane 𝄞",
    'pipe | equals = backslash \\ bracket ] quote " closing',
    "<script>alert(1)</script> & <b>bold</b>",
    "null byte's neighbour \u0001 and delete \u007f",
    "a" * 5000,
]


def organization(name: str) -> str:
    """A name that no other test has."""
    return f"{name}-{next(_numbers)}"


def event(organization: str, number: int = 0, **fields: object) -> dict:
    """One plain event."""
    letter = string.ascii_lowercase[number % 26]
    return {
        "organization": organization,
        "occurred_at": f"2026-10-{1 + number % 28:02d}T10:{number // 60 % 60:02d}:{number % 60:02d}.{number % 1000:03d}Z",
        "action": "user.role.updated" if number % 2 == 0 else "report.exported",
        "action_type": "update" if number % 2 == 0 else "export",
        "area": "users",
        "actor": {"type": "user", "id": f"u_{letter}", "name": f"Zoë {letter}", "email": f"{letter}@customer.example", "team": "Growth"},
        "targets": [{"type": "user", "id": f"t_{number % 7}", "name": f"Target {number % 7}"}],
        "context": {"ip": f"203.0.113.{number % 250}", "user_agent": "a browser"},
        "changes": [{"field": "role", "before": "member", "after": "owner"}],
        "description": f"changed role number {number}",
        "security": number % 5 == 0,
        "result": "failure" if number % 11 == 0 else "success",
        "trace_id": f"{number:032x}",
        "metadata": {"number": number, "nested": {"list": [1, 2.5, None, True, "x"]}},
        **fields,
    }


def plain(organization: str, count: int, first: int = 0) -> list[dict]:
    """So many plain events, numbered in `metadata.number`."""
    return [event(organization, number) for number in range(first, first + count)]


def awkward(organization: str) -> list[dict]:
    """One event for each of the awkward texts, which is in every place that takes one."""
    return [
        event(
            organization,
            number,
            description=text,
            message=text,
            actor={"type": "user", "id": f"awkward-{number}", "name": text[:200], "team": text[:100]},
            targets=[{"type": "report", "id": str(number), "name": text[:200]}],
            changes=[{"field": "text", "before": text, "after": None}, {"field": "number", "after": 12.5}],
            metadata={"text": text, "number": number, "a.dot": {'and "quotes"': text}},
        )
        for number, text in enumerate(AWKWARD)
    ]
