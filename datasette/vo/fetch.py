"""A table from an address that a user gave: only from hosts that the operator listed, and never from inside."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from urllib.parse import urlsplit

from lyot.datasette.vo.dialect import QueryError
from lyot.datasette.vo.web import LARGEST_BODY

SECONDS = 10.0
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # in which routers put addresses of IPv4 (RFC 6052)


def fetch(address: str, hosts: tuple[str, ...]) -> bytes:
    """The bytes at an address.

    The host's name must be on the list, and what it resolves to must be a public address; that very address is then
    connected to, so that no second answer of the resolver can lead elsewhere. Redirections are not followed.

    Raises
    ------
    QueryError
        If it may not be fetched, cannot be, or is too large.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    if host not in hosts:
        allowed = f"one of {', '.join(hosts)}" if hosts else "none is allowed here; send the table with the request"
        raise QueryError(f"tables are not fetched from {host[:80] or 'nowhere'}", hint=allowed)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        place = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
        if not is_public(place):
            raise QueryError(f"{host} is not a public address")
        with socket.create_connection((place, port), timeout=SECONDS) as connected:
            return _get(parts.scheme, host, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", connected)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise QueryError(f"the table cannot be fetched from {host}: {error}") from error


def is_public(place: str) -> bool:
    """Whether an address is one of the Internet, and so is the older one that it may stand for."""
    address = ipaddress.ip_address(place)
    meant: list[ipaddress.IPv4Address | ipaddress.IPv6Address | None] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        meant += [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        meant += [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)] if address in TRANSLATED else []
    return all(one.is_global and not one.is_multicast for one in meant if one is not None)


def _get(scheme: str, host: str, path: str, connected: socket.socket) -> bytes:
    connection = http.client.HTTPConnection(host, timeout=SECONDS)
    secured = ssl.create_default_context().wrap_socket(connected, server_hostname=host) if scheme == "https" else None
    connection.sock = secured or connected
    connection.request("GET", path, headers={"User-Agent": "lyot", "Accept": "application/x-votable+xml"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise QueryError(f"{host} answers {answer.status} for the table")
    content = answer.read(LARGEST_BODY + 1)
    if len(content) > LARGEST_BODY:
        raise QueryError(f"the table at {host} is larger than {LARGEST_BODY:,} bytes")
    return content
