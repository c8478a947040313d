"""Who may see a private release: those who show a token that the operator gave them, and for all of it alike."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from datasette.app import Datasette, pm
from datasette.utils import await_me_maybe
from datasette.utils.asgi import Request

from lyot.datasette.files import Receive, Scope, Send
from lyot.errors import BadInput

PLUGIN = "datasette-auth-tokens"
VARIABLE = "LYOT_TOKENS"
SHORTEST = 20  # characters of a token
BODY = b"This release is private: send the token you were given, as Authorization: Bearer ...\n"


def tokens() -> tuple[str, ...]:
    """The tokens in `$LYOT_TOKENS`, separated by spaces.

    Raises
    ------
    BadInput
        If one could be guessed, or the plugin that knows them is not installed.
    """
    found = tuple(os.environ.get(VARIABLE, "").split())
    if any(len(one) < SHORTEST for one in found):
        raise BadInput(
            f"a token of ${VARIABLE} has fewer than {SHORTEST} characters", hint="make one: openssl rand -hex 32"
        )
    if found and find_spec(PLUGIN.replace("-", "_")) is None:
        raise BadInput(f"${VARIABLE} is set but {PLUGIN} is not installed", hint="pip install 'lyot[private]'")
    return found


def configuration(known: tuple[str, ...]) -> dict[str, Any]:
    """What Datasette must be told so that only holders of a token see anything."""
    actors = [{"token": one, "actor": {"id": f"member-{number}"}} for number, one in enumerate(known)]
    return {"allow": {"id": "*"}, "plugins": {PLUGIN: {"tokens": actors}}}


async def is_known(scope: Scope, portal: Datasette) -> bool:
    """Whether whoever asks is known to a plugin of Datasette: the check is the same for every path."""
    if any(name == b"authorization" and not value.isascii() for name, value in scope["headers"]):
        return False  # which the plugin could not compare
    await portal.invoke_startup()
    for found in pm.hook.actor_from_request(datasette=portal, request=Request(scope, None)):
        if await await_me_maybe(found):
            return True
    return False


async def turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    """One answer, whatever was asked: nothing can be learnt from it."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(BODY)).encode()),
        (b"www-authenticate", b'Bearer realm="lyot"'),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else BODY})
