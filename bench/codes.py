"""`./onecard bench codes`: what an offline gate and the maker of status lists do, on one core and without a database.

    codes.verify   a code checked offline: read, verified, its window, its status in the day's list;
                   limit: libsodium's verify alone over the same bytes
    codes.sm2      the same check of codes of the suite sm2; limit: of the suite ed25519
    codes.list     the signed list of 10 million e-cards, 1 % of them suspended, from their serials;
                   limit: zlib at level 9 over the same entries

Rates are per second of CPU time, since only that is one core's on a machine that others use, too.
"""

import os
import random
import sys
import time
import zlib
from collections.abc import Callable, Sequence

from nacl.bindings import crypto_sign_open

from bench.harness import Figure, Sample, interleave, report
from onecard_kit import codes
from onecard_kit.refs import BITS, Permutation, day_of
from onecard_kit.status_list import Status, StatusList, compress, from_cwt, pack, to_cwt
from onecard_kit.suites import ED25519, SM2, PublicKey, Signer, Suite

ISSUER = "320600"
ECARDS = 10_000_000
SUSPENDED = ECARDS // 100
CODES = 500
# Short and many: a neighbour's load that comes and goes then falls on both sides of a round.
ROUNDS = 61
LIST_ROUNDS = 3
LIST_S, TTL_S = 86_400, 300

Keys = dict[tuple[str, bytes], PublicKey]


class City:
    """Ten million e-cards and today's list, made of what the day's permutation makes of their serials."""

    def __init__(self) -> None:
        self.now = int(time.time())
        self.day = day_of(self.now)
        self.key = os.urandom(32)
        drawn = random.Random(20260301)
        self.suspended = drawn.sample(range(ECARDS), SUSPENDED)
        self.signer = Signer.of(ED25519, b"\x00\x01", os.urandom(32))
        self.raw = self.make_list()
        self.list = from_cwt(self.raw, {self.signer.kid: self.signer.public_key})

    def make_list(self) -> bytes:
        """The signed list; nothing of a list before is kept, the day's tables are made anew."""
        permutation = Permutation(self.key, self.day)
        entries = pack(1 << BITS, [(permutation.ref(serial), Status.SUSPENDED) for serial in self.suspended])
        made = StatusList(f"{ISSUER}/{self.day}", self.now, self.now + LIST_S, TTL_S, compress(entries))
        return to_cwt(made, self.signer)


class Gate:
    """An offline gate under one issuer's key, and codes that are held up to it."""

    def __init__(self, city: City, suite: Suite) -> None:
        self.signer = Signer.of(suite, b"\x00\x02", os.urandom(32))
        self.keys: Keys = {(ISSUER, self.signer.kid): self.signer.public_key}
        self.list = city.list
        self.now = city.now
        permutation, good = Permutation(city.key, city.day), set(range(CODES * 2)) - set(city.suspended)
        self.texts = [self._code(permutation.ref(serial)) for serial in sorted(good)[:CODES]]

    def _code(self, ref: int) -> str:
        starts, ends = codes.windows(self.now, 1)[0]
        claims = codes.Claims(
            ISSUER, self.signer.kid, ref, codes.Via.SELF, starts, ends, os.urandom(codes.NONCE_BYTES), (3,)
        )  # fmt: skip
        return codes.encode(claims, self.signer)

    def check(self, text: str) -> bool:
        """Whether a code is genuine, in its window, and of an e-card in good standing."""
        claims = codes.verify(codes.lenient(text), self.keys)
        in_time = claims.not_before - codes.CLOCK_SKEW_S <= self.now < claims.expires + codes.CLOCK_SKEW_S
        return in_time and self.list.status(claims.ref) is Status.VALID

    def check_all(self) -> None:
        if not all(map(self.check, self.texts)):
            raise RuntimeError("a good code was refused")


def bare(gate: Gate) -> Callable[[], None]:
    """libsodium's verify over the same messages, put together beforehand."""
    key = gate.signer.public_key
    read = [codes.decode(text) for text in gate.texts]
    messages = [code.signature + key.signed_start + code.payload for code in read]

    def verify_all() -> None:
        for message in messages:
            crypto_sign_open(message, key.public)

    return verify_all


def timed(run: Callable[[], object], operations: int) -> Callable[[], Sample]:
    """Operations a CPU second of `run`, which does `operations` of them."""

    def sample() -> Sample:
        started = time.process_time()
        run()
        spent_s = time.process_time() - started
        return Sample(operations / spent_s, spent_s / operations * 1e6)

    return sample


def measure(rounds: int = ROUNDS, list_rounds: int = LIST_ROUNDS) -> list[Figure]:
    """The three figures, each in turns with its limit."""
    city = City()
    gate, other = Gate(city, ED25519), Gate(city, SM2)
    ours, theirs = timed(gate.check_all, CODES), timed(other.check_all, CODES)
    alone, entries = timed(bare(gate), CODES), city.list.entries
    made, zipped = timed(city.make_list, ECARDS), timed(lambda: zlib.compress(entries, 9), ECARDS)
    verify: dict[str, object] = {"ecards": ECARDS, "limit_is": "libsodium crypto_sign_open over the same bytes"}
    sm2: dict[str, object] = {"limit_is": "the same check of codes of the suite ed25519"}
    lists: dict[str, object] = {
        "ecards": ECARDS, "suspended": SUSPENDED, "entries_bytes": len(entries), "made_bytes": len(city.raw),
        "zlib_bytes": len(zlib.compress(entries, 9)), "limit_is": "zlib level 9 over the same bytes",
    }  # fmt: skip
    _right(city)
    return [
        interleave("codes.verify", ours, alone, rounds, **verify),
        interleave("codes.sm2", theirs, ours, rounds, **sm2),
        interleave("codes.list", made, zipped, list_rounds, **lists),
    ]


def _right(city: City) -> None:
    """The list says of each e-card what it was given."""
    permutation, suspended = Permutation(city.key, city.day), set(city.suspended)
    for serial in random.Random(1).sample(range(ECARDS), 10_000) + city.suspended[:10_000]:
        expected = Status.SUSPENDED if serial in suspended else Status.VALID
        if city.list.status(permutation.ref(serial)) is not expected:
            raise RuntimeError(f"the list is wrong about {serial}")


def main(arguments: Sequence[str]) -> int:
    """Print the figures; `--json` for machines."""
    report(measure(), "--json" in arguments)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
