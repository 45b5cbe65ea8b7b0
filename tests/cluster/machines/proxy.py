"""A TCP proxy between a node and PostgreSQL that cuts, hangs, goes elsewhere, or loses what is answered to a COMMIT."""

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future

PIECE = 1 << 16
#: The message of a simple query that ends a transaction.
COMMIT = re.compile(rb"Q\0\0\0.commit[; ]*\0", re.IGNORECASE | re.DOTALL)


class Loss:
    """What becomes of a COMMIT that passes."""

    #: The connection ends before the server has it: nothing was committed.
    BEFORE = "before"
    #: It is committed, and the connection ends instead of an answer.
    AFTER = "after"
    #: It is committed, and nothing comes any more on a connection that stays open.
    SILENT = "silent"


class Proxy:
    """Listens on a port of its own; all is done by one thread with an event loop."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        #: Asked at each COMMIT: what becomes of it; `None` is nothing.
        self.lose: Callable[[], str | None] = lambda: None
        #: COMMITs that were lost, by what became of them.
        self.lost = {Loss.BEFORE: 0, Loss.AFTER: 0, Loss.SILENT: 0}
        self.commits = 0
        self.refusing = False
        self.open: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        self.flows = asyncio.Event()
        self.flows.set()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.do(self.listen())
        self.port = self.server.sockets[0].getsockname()[1]

    async def listen(self) -> asyncio.Server:
        return await asyncio.start_server(self.serve, "127.0.0.1", 0)

    def do(self, work) -> object:
        """Runs something on the loop's thread and waits for it."""
        future: Future = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(30)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, forth}
        self.open |= both
        connection = Connection(self)
        try:
            pumps = [asyncio.create_task(connection.asked(reader, forth)), asyncio.create_task(connection.answered(back, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        finally:
            self.open -= both
            for end in both:
                end.transport.abort()

    def cut(self) -> None:
        """Ends all connections at once."""

        async def all() -> None:
            for writer in list(self.open):
                writer.transport.abort()

        self.do(all())

    def aim(self, upstream: int) -> None:
        """From now on it leads elsewhere."""
        self.upstream = upstream
        self.cut()

    def hang(self) -> None:
        """Nothing passes any more, and nobody is told."""

        async def stop() -> None:
            self.flows.clear()

        self.do(stop())

    def calm(self) -> None:
        """From now on everything passes."""
        self.lose, self.refusing = (lambda: None), False

        async def go() -> None:
            self.flows.set()

        self.do(go())

    def stop(self) -> None:
        async def end() -> None:
            self.server.close()
            for writer in list(self.open):
                writer.transport.abort()

        self.do(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


class Connection:
    """One connection, and what is to become of the answer that it waits for."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.fate: str | None = None

    async def asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            await self.proxy.flows.wait()
            if COMMIT.search(piece):
                self.proxy.commits += 1
                self.fate = self.fate or self.proxy.lose()
                if self.fate == Loss.BEFORE:
                    self.proxy.lost[Loss.BEFORE] += 1
                    return
            writer.write(piece)
            await writer.drain()

    async def answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            await self.proxy.flows.wait()
            if self.fate == Loss.AFTER:
                self.proxy.lost[Loss.AFTER] += 1
                return
            if self.fate == Loss.SILENT:
                self.proxy.lost[Loss.SILENT] += 1
                # The server has answered; the client is never told, nor that there is nobody.
                await asyncio.Event().wait()
            writer.write(piece)
            await writer.drain()
