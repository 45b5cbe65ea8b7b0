"""Mail: aiosmtpd, plain, with STARTTLS, or with TLS from the first byte; with or without a password."""

import email
import email.policy
import ssl
from dataclasses import dataclass
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from harness.process import free_port
from harness.waiting import until

USER, PASSWORD = "relay", "relay-password"


@dataclass
class Letter:
    """What was handed over."""

    sender: str
    to: list[str]
    message: EmailMessage
    encrypted: bool

    @property
    def subject(self) -> str:
        return self.message["subject"]

    @property
    def text(self) -> str:
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self) -> str:
        return self.message.get_body(("html",)).get_content()

    def attachments(self) -> dict[str, bytes]:
        """The files that came with it."""
        return {part.get_filename(): part.get_payload(decode=True) for part in self.message.iter_attachments()}


class Mailbox:
    """Takes every letter; those to `rejected@…` it refuses for good, and for a while all, when told so."""

    def __init__(self, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, password: bool = False) -> None:
        self.letters: list[Letter] = []
        self.refusals = 0
        self.tls, self.starttls = tls, starttls
        mailbox = self

        class Listening(Controller):
            def factory(self) -> SMTP:
                asks = {"authenticator": mailbox.authenticate, "auth_required": True, "auth_require_tls": tls is None} if password else {}
                return SMTP(self.handler, tls_context=starttls, require_starttls=starttls is not None, **asks)

        self.controller = Listening(self, hostname="127.0.0.1", port=free_port(), ssl_context=tls)
        self.controller.start()

    @property
    def port(self) -> int:
        return self.controller.port

    @staticmethod
    def authenticate(server: SMTP, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        told = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        # Not handled: the library answers the client.
        return AuthResult(success=told, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address.startswith("rejected@"):
            return "550 there is nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.refusals > 0:
            self.refusals -= 1
            return "451 come back later"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.letters.append(Letter(envelope.mail_from, envelope.rcpt_tos, message, session.ssl is not None or self.tls is not None))
        return "250 taken"

    def letter(self, to: str, about: str = "", seconds: float = 30) -> Letter:
        """The oldest letter to somebody with these words in its subject or text; it is taken out."""

        def look() -> Letter | None:
            for letter in self.letters:
                if to in letter.to and (about in letter.subject or about in letter.text):
                    self.letters.remove(letter)
                    return letter
            return None

        return until(f"a letter to {to} about {about!r}", look, seconds)

    def waiting(self, to: str) -> list[Letter]:
        """Letters to somebody that came and were not taken out."""
        return [letter for letter in self.letters if to in letter.to]

    def stop(self) -> None:
        self.controller.stop()
