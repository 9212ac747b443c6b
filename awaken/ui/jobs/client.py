"""Who sends a request, so that turns and bounds can be each client's own.

A client is a path of names, the nearest first: the address that the connection comes from, what each
proxy on the way wrote down (X-Forwarded-For, read from its end), and the session. Whatever shares
out anything shares it level by level along that path. So nobody has to be believed: whoever forges
the far end of it only divides a share of his own.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, TypeVar

PER_ADDRESS = 128  # of anything that is shared out: a school comes through one address
PER_SESSION = 16
HOPS = 3  # proxies that are read; what lies beyond is one name
MAX_NAME = 64  # characters of a name that are told apart

Client = tuple[str, ...]
Key = TypeVar("Key", bound=Hashable)


def address_of(scope: Mapping[str, Any]) -> Client:
    """The client of an ASGI scope, without its session."""
    peer = scope.get("state", {}).get("peer") or scope.get("client") or ("",)
    sent = [v for k, v in scope["headers"] if k == b"x-forwarded-for"]
    hops = b",".join(sent).decode("latin-1").split(",") if sent else []
    told = [_network(hop.strip()) for hop in reversed(hops)][:HOPS]
    return (_network(peer[0]), *(("forwarded", *told) if told else ()))


def levels(client: Client) -> Iterator[Client]:
    """The client's path, from its first name alone to the whole."""
    return (client[:i] for i in range(1, len(client) + 1))


def has_room(client: Client, taken: Mapping[Client, int]) -> bool:
    """Whether one more fits beside what is taken on each level of the client's path."""
    wanted = levels(client)
    return all(taken.get(at, 0) < (PER_SESSION if at == client else PER_ADDRESS) for at in wanted)


def greediest(held: Mapping[Key, Client]) -> Key:
    """Of what clients hold, the first of whoever holds the most, level by level: it goes first."""
    counts = Counter(level for client in held.values() for level in levels(client))
    return max(held, key=lambda key: [counts[level] for level in levels(held[key])])


def _network(name: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name[:MAX_NAME]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)
