"""Where messages may go: to public addresses, and inside to those networks alone that the node's settings name.

An officer files a name; what it stands for is its owner's to change at any time. So every address is judged when it is
called, whatever it was before.
"""

import ipaddress
import os
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from onecard.foundation.errors import Unavailable

SETTING = "ONECARD_MESSAGE_NETWORKS"
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# Its last 32 bits are an IPv4 address that a translator sends to (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")
# All that is given out of IPv6 lies in here (RFC 4291 2.4). Outside of it a translator of the node's own may listen
# (RFC 8215, RFC 2765), or what an old network called its own (RFC 3879).
_GIVEN_OUT = IPv6Network("2000::/3")
# Nobody's, which the library takes for public: for protocols (RFC 6890), relays that are no more (RFC 7526), books
# (RFC 9637).
_NOBODYS: tuple[Network, ...] = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))


def inside(environment: Mapping[str, str] = os.environ) -> tuple[Network, ...]:
    """The networks that are not public and may be sent to all the same: ``10.20.0.0/16, fd00:1::/64``.

    Raises Unavailable MESSAGE_NETWORKS_MALFORMED.
    """
    try:
        return tuple(
            ipaddress.ip_network(each.strip()) for each in environment.get(SETTING, "").split(",") if each.strip()
        )
    except ValueError as error:
        raise Unavailable(
            "MESSAGE_NETWORKS_MALFORMED",
            f"设置 {SETTING} 不正确：{error}。",
            f"The setting {SETTING} is wrong: {error}.",
            next_zh="应为以逗号分隔的网段，例如 10.20.0.0/16。",
            next_en="It is networks separated by commas, such as 10.20.0.0/16.",
        ) from None


def may_be_sent_to(address: str, networks: tuple[Network, ...]) -> bool:
    """Whether a message may go to an address, as the resolver spells it."""
    given = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if any(given in network for network in networks):
        return True
    if isinstance(given, IPv6Address) and given not in _GIVEN_OUT:
        return False
    return given.is_global and not given.is_multicast and not any(given in network for network in _NOBODYS)


def _meant(address: Address) -> Address:
    """The IPv4 address that one of IPv6 carries, where it carries one: it is where packets end up."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
