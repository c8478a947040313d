"""Headers of Datasette's pages: they load nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pluggy import HookimplMarker

hookimpl = HookimplMarker("datasette")

#: Datasette's own pages have scripts and styles inside them; what they load must still be from here.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
]

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@hookimpl
def asgi_wrapper() -> Callable[[Application], Application]:
    """Add the headers to every answer that does not have them yet."""

    def wrap(application: Application) -> Application:
        async def wrapped(scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def send_with_headers(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    there = {name.lower() for name, _ in message.get("headers", [])}
                    added = [header for header in HEADERS if header[0] not in there]
                    message = {**message, "headers": [*message.get("headers", []), *added]}
                await send(message)

            await application(scope, receive, send_with_headers)

        return wrapped

    return wrap
