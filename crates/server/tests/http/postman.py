"""A mail server for the tests: prints its port, then each letter as a line of JSON.

The first argument is how many letters are refused for now (451) before one is taken. Letters to rejected@… are refused for good.
"""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP


class Postman:
    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("rejected@"):
            return f"550 there is no <{address}>"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.refusals > 0:
            self.refusals -= 1
            return "451 come back later"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": [name for name, _ in message.items()],
            "subject": message["subject"],
            "text": message.get_body(("plain",)).get_content(),
            "html": message.get_body(("html",)).get_content(),
        }
        print(json.dumps(letter), flush=True)
        return "250 taken"


async def main() -> None:
    postman = Postman(int(sys.argv[1]))
    listening = await asyncio.get_running_loop().create_server(lambda: SMTP(postman), "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    # Until the test closes its end.
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
