"""Identifiers: UUIDs of version 7 (RFC 9562), whose order is their time, so that indexes and partitions stay local."""

import datetime as dt
import os
import time
from uuid import UUID

_MARKS = (0x7 << 76) | (0x2 << 62)  # version 7, variant of RFC 9562
_UNMARKED = ~((0xF << 76) | (0x3 << 62))
_RANDOM_MASK = (1 << 62) - 1


def uuid7(unix_ms: int | None = None) -> UUID:
    """A new UUIDv7: 48 bits of Unix milliseconds, then 74 random bits. `unix_ms` defaults to the present."""
    if unix_ms is None:
        unix_ms = time.time_ns() // 1_000_000
    value = (unix_ms << 80) | int.from_bytes(os.urandom(10), "big")
    return UUID(int=(value & _UNMARKED) | _MARKS)


def beside(id_: UUID, n: int) -> UUID:
    """The n-th id that belongs to another, in the same millisecond: a repeated act makes the same ids again."""
    return UUID(int=(id_.int & ~_RANDOM_MASK) | ((id_.int + n) & _RANDOM_MASK))


def moment_of(id_: UUID) -> dt.datetime:
    """The millisecond, in UTC, in which a UUIDv7 was made."""
    return dt.datetime.fromtimestamp((id_.int >> 80) / 1000, dt.UTC)


def uuid7_floor(moment: dt.datetime) -> UUID:
    """The smallest UUIDv7 of a moment: the bound of a partition, or the start of a search by time."""
    unix_ms = int(moment.timestamp() * 1000)
    return UUID(int=(unix_ms << 80) | _MARKS)
