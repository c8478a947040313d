"""Who may see a private release: its members, by a token or a password of theirs, and all of it alike."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from datasette.app import Datasette, pm
from datasette.utils import await_me_maybe
from datasette.utils.asgi import Request

from lyot.datasette.files import Headers, Scope, Send
from lyot.errors import BadInput

TOKENS, PASSWORDS = "datasette-auth-tokens", "datasette-auth-passwords"
TOKENS_VARIABLE, PASSWORDS_VARIABLE = "LYOT_TOKENS", "LYOT_PASSWORDS"
SHORTEST = 20  # characters of a token
LOGIN, LOGOUT = "/-/login", "/-/logout"
#: What the page of the login needs, which is the same in every release.
OPEN = ("/-/static/", "/lyot-theme/")
BETWEEN = 1.0  # seconds between two passwords that are tried, whoever tries them
_WORDS = b"This release is private: send the token you were given, as Authorization: Bearer ...\n"


@dataclass(frozen=True)
class Members:
    """Tokens, and hashes of passwords by name."""

    tokens: tuple[str, ...] = ()
    passwords: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tokens or self.passwords)

    @property
    def secret(self) -> str:
        """What cookies are signed with: another one, and everybody must log in again, when members change."""
        words = (*self.tokens, *(f"{name}={said}" for name, said in sorted(self.passwords.items())))
        return hashlib.sha256("\0".join(words).encode()).hexdigest()

    def configuration(self) -> dict[str, Any]:
        """What Datasette must be told so that only members see anything."""
        actors = [{"token": one, "actor": {"id": f"member-{number}"}} for number, one in enumerate(self.tokens)]
        hashes = {f"{name}_password_hash": said for name, said in self.passwords.items()}
        return {"allow": {"id": "*"}, "plugins": {TOKENS: {"tokens": actors}, PASSWORDS: hashes}}


def members() -> Members:
    """Those of `$LYOT_TOKENS` (tokens) and `$LYOT_PASSWORDS` (`name=hash`), each separated by spaces.

    Raises
    ------
    BadInput
        If a token could be guessed, a password is no hash, or the plugin that knows them is not installed.
    """
    tokens = tuple(os.environ.get(TOKENS_VARIABLE, "").split())
    pairs = [one.partition("=") for one in os.environ.get(PASSWORDS_VARIABLE, "").split()]
    if any(len(one) < SHORTEST for one in tokens):
        raise BadInput(
            f"a token of ${TOKENS_VARIABLE} has fewer than {SHORTEST} characters", hint="make one: openssl rand -hex 32"
        )
    if any(not name or said.count("$") != 3 for name, _, said in pairs):
        raise BadInput(f"${PASSWORDS_VARIABLE} has what is no name=hash", hint="make a hash: datasette hash-password")
    for variable, said, plugin in ((TOKENS_VARIABLE, tokens, TOKENS), (PASSWORDS_VARIABLE, pairs, PASSWORDS)):
        if said and find_spec(plugin.replace("-", "_")) is None:
            raise BadInput(f"${variable} is set but {plugin} is not installed", hint="pip install 'lyot[private]'")
    return Members(tokens, {name: said for name, _, said in pairs})


class Door:
    """Lets members in, and tells all others the same whatever they ask for.

    Parameters
    ----------
    portal : Datasette
        Whose plugins know the members.
    members : Members
    base : str
        Address at which the release is served.
    """

    def __init__(self, portal: Datasette, members: Members, base: str) -> None:
        self._portal = portal
        self._has_passwords = bool(members.passwords)
        self._is_secure = base.startswith("https:")
        self._tried = -BETWEEN

    async def lets_in(self, scope: Scope) -> bool:
        """Whether whoever asks is a member: the check is the same for every path."""
        for name, value in scope["headers"]:
            # the plugins could not read other ones, and one of them would weigh a password at every request
            if name == b"authorization" and not (value.startswith(b"Bearer ") and value.isascii()):
                return False
        await self._portal.invoke_startup()
        for found in pm.hook.actor_from_request(datasette=self._portal, request=Request(scope, None)):
            if await await_me_maybe(found):
                return True
        return False

    def is_open(self, scope: Scope) -> bool:
        """Whether it is the login, or what its page needs."""
        return self._has_passwords and (scope["path"] == LOGIN or scope["path"].startswith(OPEN))

    def takes(self, scope: Scope) -> bool:
        """Whether something may be sent there."""
        return self._has_passwords and scope["method"] == "POST" and scope["path"] in (LOGIN, LOGOUT)

    def is_too_soon(self, scope: Scope) -> bool:
        """Whether a password is tried too soon after another: weighing one takes a third of a second."""
        if scope["path"] != LOGIN or scope["method"] != "POST":
            return False
        now = time.monotonic()
        soon = now - self._tried < BETWEEN
        self._tried = self._tried if soon else now
        return soon

    def sealed(self, send: Send) -> Send:
        """What is sent is kept by no cache, and cookies go over safe connections alone where the release does."""

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() != b"cache-control"]
                if self._is_secure:
                    kept = [(name, value + b"; Secure" if name.lower() == b"set-cookie" else value)
                            for name, value in kept]  # fmt: skip
                message = {**message, "headers": [*kept, (b"cache-control", b"private, no-store")]}
            await send(message)

        return sending

    async def turn_away(self, scope: Scope, send: Send) -> None:
        """One answer, whatever was asked: nothing can be learnt from it. Browsers are led to the login."""
        accepts = dict(scope["headers"]).get(b"accept", b"")
        if self._has_passwords and b"text/html" in accepts:
            await _say(send, 303, [("location", scope.get("root_path", "") + LOGIN)])
            return
        said = [("content-type", "text/plain; charset=utf-8"), ("www-authenticate", 'Bearer realm="lyot"')]
        await _say(send, 401, said, b"" if scope["method"] == "HEAD" else _WORDS)


async def ask_to_wait(send: Send) -> None:
    """Answer that a password was tried a moment ago."""
    await _say(send, 429, [("retry-after", "1"), ("content-type", "text/plain")], b"Try again in a second.\n")


async def _say(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    headers = [*headers, ("content-length", str(len(body))), ("cache-control", "no-store")]
    raw = [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
