"""Webhooks: a receiver that believes nothing but what the library of Standard Webhooks verifies."""

import json
import ssl
import threading
from dataclasses import dataclass, field

from standardwebhooks import Webhook, WebhookVerificationError

from counterparts.place import Place
from harness.door import Answer, Door, Request

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Hook:
    """One path of the receiver, what it was told, and what it did not believe."""

    secrets: list[str]
    #: The messages, with what each request's headers were.
    messages: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    #: Which of the secrets verified each message.
    verified_by: list[list[str]] = field(default_factory=list)
    disbelieved: list[Request] = field(default_factory=list)


class Webhooks:
    """A receiver with many paths."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.hooks: dict[str, Hook] = {}
        self.lock = threading.Lock()
        self.door = Door(self.answer, tls)

    def answer(self, request: Request) -> Answer:
        hook = self.hooks.get(request.path)
        if hook is None or request.method != "POST":
            return Answer(404, b"nobody is here")
        if not hook.secrets:
            # Nobody asked for a signature here; the body is kept as it came.
            verified = ["nothing"]
        else:
            verified = [secret for secret in hook.secrets if verifies(secret, request)]
        with self.lock:
            if not verified:
                hook.disbelieved.append(request)
                return Answer(401, b"not signed by anybody known here")
            hook.messages.append(json.loads(request.body))
            hook.headers.append({name.lower(): value for name, value in request.headers.items()})
            hook.verified_by.append(verified)
        return Answer(204)

    def open(self, path: str, *secrets: str) -> Hook:
        """From now on there is somebody at this path."""
        return self.hooks.setdefault(path, Hook(list(secrets)))

    def place(self, name: str, secret: str = SECRET, **headers: str) -> Place:
        hook = self.open(f"/{name}", secret)
        return Place(
            destination={"type": "webhook", "url": f"{self.door.url}/{name}", "headers": headers},
            secrets={"secret": secret},
            read=lambda: [event for message in list(hook.messages) for event in message["events"]],
            door=self.door,
            wrong={"secret": "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
            extra={"hook": hook},
        )

    def stop(self) -> None:
        self.door.down()


def verifies(secret: str, request: Request) -> bool:
    """Whether the library says so; it looks at the time as well."""
    try:
        Webhook(secret).verify(request.body, {name.lower(): value for name, value in request.headers.items()})
        return True
    except WebhookVerificationError:
        return False
