"""Every kind of destination by a name, each at its counterpart."""

from collections.abc import Callable

import pytest

from counterparts.place import Place
from harness.events import organization as new_name

#: A place for the events of an organization, made from the fixtures of the counterparts.
PLACES: dict[str, Callable[[pytest.FixtureRequest, str], Place]] = {
    "s3": lambda of, name: of.getfixturevalue("s3").place(name),
    "gcs": lambda of, name: of.getfixturevalue("gcs").place(name),
    "azure with a key": lambda of, name: of.getfixturevalue("azure").place(name),
    "azure with a signature": lambda of, name: of.getfixturevalue("azure").place(name, sas=True),
    "webhook": lambda of, name: of.getfixturevalue("webhooks").place(name),
    "splunk": lambda of, name: of.getfixturevalue("splunk").place(name),
    "datadog": lambda of, name: of.getfixturevalue("datadog").place(name),
    "elasticsearch with a key": lambda of, name: of.getfixturevalue("search").place(new_name(name)),
    "elasticsearch with a password": lambda of, name: of.getfixturevalue("search").place(new_name(name), basic=True),
    "otlp": lambda of, name: of.getfixturevalue("otlp").place(name),
    "syslog over tcp": lambda of, name: of.getfixturevalue("syslog").place("plain", name),
    "syslog over tls": lambda of, name: of.getfixturevalue("syslog").place("tls", name, tls=True),
}
#: Those that answer, so that it is known what arrived.
ANSWERING = [kind for kind in PLACES if not kind.startswith("syslog")]
#: One of each protocol.
PROTOCOLS = ["s3", "gcs", "azure with a key", "webhook", "splunk", "datadog", "elasticsearch with a key", "otlp"]
