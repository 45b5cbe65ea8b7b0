"""People of the console: invited by mail, with a password and a session, as README.md shows it."""

import re

from counterparts.mailbox import Mailbox
from harness.trailbook import Trailbook

PASSWORD = "a fine long password"


class Person:
    """Somebody who was invited by a letter, chose a password, and is signed in."""

    def __init__(self, server: Trailbook, mailbox: Mailbox, organization: str, email: str, role: str, name: str = "Ann") -> None:
        self.server, self.organization, self.email = server, organization, email
        users = f"/v1/organizations/{organization}/users"
        self.path = f"{users}/{server.post(users, {'email': email, 'name': name, 'role': role}).json['id']}"
        token = re.search(r"/password#(\S+)", mailbox.letter(email, organization).text).group(1)
        self.browse("POST", "/auth/password", {"token": token, "password": PASSWORD, "name": name}, session="").expect(204)
        signed_in = self.browse(
            "POST", "/auth/sign-in", {"organization": organization, "email": email, "password": PASSWORD}, session=""
        ).expect(200)
        self.session = re.search(r"__Host-trailbook=([^;]+)", signed_in.headers["Set-Cookie"]).group(1)

    def browse(self, method: str, path: str, body: object = None, session: str | None = None):
        """A request of our own page."""
        return self.server.call(method, path, body, session=self.session if session is None else session)

    def becomes(self, role: str) -> None:
        """Root gives them another role."""
        self.server.call("PATCH", self.path, {"role": role}).expect(200)
