"""Listen for requests such that a process which is stopped cuts none of them."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER_SECONDS = 1.0


class PatientProtocol(HttpToolsProtocol):
    """A connection that waits a moment, when the process stops, for a request on its way.

    The server closes at once what seems idle to it. But a proxy that has just connected, or whose
    request is half read, sees its resident's request die of that, and must not send it again.
    """

    def shutdown(self) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle:
            self.loop.call_later(LINGER_SECONDS, super().shutdown)
        else:
            super().shutdown()
