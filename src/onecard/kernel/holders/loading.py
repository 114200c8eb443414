"""Rows of holders as tuples: one place that knows how a person becomes sealed columns, for verbs and for COPY alike.

Columns left to their defaults (times, version) are not in the lists below, so a COPY names the columns it brings.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from onecard.foundation.crypto import blind_index, open_sealed, seal
from onecard.foundation.keys import Keyring
from onecard.kernel.holders import rules
from onecard.kernel.holders.names import initials

HOLDER_COLUMNS = (
    "id", "place", "number_sealed", "number_index", "name_sealed", "name_index", "initials_index", "phone_sealed",
    "phone_index", "address_sealed", "birth_date", "sex", "life", "synthetic",
)  # fmt: skip
CERTIFICATE_COLUMNS = ("id", "holder_id", "kind", "issuer", "number_sealed", "valid_from", "valid_to")
CLASS_COLUMNS = ("holder_id", "code", "from_day", "to_day", "source")


class Personal(Protocol):
    """A person as rules leave them: everything normalised. Empty strings mean "none"."""

    @property
    def place(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def birth_date(self) -> dt.date: ...
    @property
    def sex(self) -> int: ...
    @property
    def synthetic(self) -> bool: ...


class Certified(Protocol):
    """A certificate to load. `valid_to` is its last day."""

    @property
    def kind(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def valid_from(self) -> dt.date: ...
    @property
    def valid_to(self) -> dt.date | None: ...


def aad(field: str, holder_id: int) -> str:
    """The place a sealed field of a holder belongs to."""
    return f"holders_holder.{field}:{holder_id}"


def initials_key(name: str, birth_date: dt.date) -> str:
    """What the blind index of initials hashes: initials and birth year together, e.g. ``ZXM1950``."""
    return f"{initials(name)}{birth_date.year}"


def holder_row(keyring: Keyring, holder_id: int, person: Personal, life: str = "alive") -> tuple[Any, ...]:
    """The values of HOLDER_COLUMNS.

    `keyring` is that of "identity"; the id is drawn first because the seals bind it.
    """
    phone, address = person.phone, person.address
    return (
        holder_id,
        person.place,
        seal_field(keyring, "number", holder_id, person.number),
        blind_index(keyring, "number", person.number),
        seal_field(keyring, "name", holder_id, person.name),
        blind_index(keyring, "name", person.name),
        blind_index(keyring, "initials", initials_key(person.name, person.birth_date)),
        seal_field(keyring, "phone", holder_id, phone) if phone else None,
        blind_index(keyring, "phone", phone) if phone else None,
        seal_field(keyring, "address", holder_id, address) if address else None,
        person.birth_date,
        person.sex,
        life,
        person.synthetic,
    )


def certificate_row(keyring: Keyring, certificate_id: int, holder_id: int, certificate: Certified) -> tuple[Any, ...]:
    """The values of CERTIFICATE_COLUMNS."""
    number = certificate.number
    return (
        certificate_id,
        holder_id,
        certificate.kind,
        certificate.issuer,
        seal(keyring, number.encode(), f"holders_certificate.number:{certificate_id}") if number else None,
        certificate.valid_from,
        certificate.valid_to,
    )


def class_rows(
    holder_id: int, birth_date: dt.date, certificates: Iterable[tuple[int, Certified]] = ()
) -> Iterator[tuple[Any, ...]]:
    """The values of CLASS_COLUMNS for each class by age and certificate; `certificates` pairs ids with certificates."""
    for window in rules.windows_of_birth(birth_date):
        yield (holder_id, *window, "birth")
    for certificate_id, each in certificates:
        for window in rules.windows_of_certificate(each.kind, each.valid_from, each.valid_to):
            yield (holder_id, *window, f"certificate:{certificate_id}")


def seal_field(keyring: Keyring, field: str, holder_id: int, value: str) -> bytes:
    """Seal one personal field of a holder."""
    return seal(keyring, value.encode(), aad(field, holder_id))


def open_field(keyring: Keyring, field: str, holder_id: int, sealed: bytes | memoryview | None) -> str:
    """Open one personal field of a holder; the empty string where there is none. Raises OneCardError SEAL_BROKEN."""
    return "" if sealed is None else open_sealed(keyring, sealed, aad(field, holder_id)).decode()
