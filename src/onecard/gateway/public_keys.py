"""The issuer's keys for whoever verifies its codes: `GET /v1/keys`, to anyone. What a key signs with never leaves."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from onecard.foundation import clock
from onecard.gateway.answers import Keys, PublicKeyTold
from onecard.gateway.issuing import IssuerKeys
from onecard.gateway.wire import Response
from onecard_kit import withdrawn

SIGNED_ANEW_S: Final = 60.0
_HEADERS: Final = (("cache-control", "public, max-age=60"),)

Row = Mapping[str, Any]


@dataclass(slots=True)
class PublicKeys:
    """The keys as they are told: made and signed again when one changed, and each minute that somebody asks."""

    issuer_keys: IssuerKeys
    _told: Response | None = None
    _of: tuple[object, ...] = ()
    _until: float = 0.0

    async def answer(self) -> Response:
        """The keys that sign or verify now, and the signed list of those withdrawn. Raises Unavailable
        NO_SIGNING_KEY."""
        await self.issuer_keys.refresh()
        rows = self.issuer_keys.rows
        of = tuple((row["id"], row["sign_from"], row["sign_to"], row["withdrawn_at"]) for row in rows)
        if self._told is None or of != self._of or time.monotonic() >= self._until:
            self._told, self._of = self._tell(rows), of
            self._until = time.monotonic() + SIGNED_ANEW_S
        return self._told

    def _tell(self, rows: Sequence[Row]) -> Response:
        place = self.issuer_keys.place
        gone = {bytes(row["kid"]): _seconds(row["withdrawn_at"]) for row in rows if row["withdrawn_at"] is not None}
        made = withdrawn.WithdrawnKeys(place, int(clock.now().timestamp()), gone)
        told: Keys = {
            "issuer": place,
            "keys": [_key(row) for row in rows if row["withdrawn_at"] is None],
            "withdrawn_keys": withdrawn.to_jwt(made, self.issuer_keys.signer()),
        }
        return Response(200, msgspec.json.encode(told), _HEADERS, "application/json")


def _key(row: Row) -> PublicKeyTold:
    return {
        "kid": bytes(row["kid"]).hex(),
        "purpose": row["purpose"],
        "suite": row["suite"],
        "public": bytes(row["public"]).hex(),
        "signs_from": row["sign_from"] and _seconds(row["sign_from"]),
        "signs_to": row["sign_to"] and _seconds(row["sign_to"]),
        "verifies_to": row["verify_to"] and _seconds(row["verify_to"]),
    }


def _seconds(moment: dt.datetime) -> int:
    return int(moment.timestamp())
