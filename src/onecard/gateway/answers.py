"""What the gateway answers, as declared: the functions that answer are checked against these, and the reference
(`reference.py`) is made from them.
"""

from typing import NotRequired, TypedDict
from uuid import UUID

from onecard.kernel.uses.load.as_of import AtGate
from onecard_kit.verdicts import Verdict


class VerdictTold(TypedDict):
    """A verdict in words. Decide by `admitted`, show the words, log the code; `next_…` is empty for an admission."""

    code: Verdict
    zh: str
    en: str
    next_zh: str
    next_en: str


class Reason(TypedDict):
    """Why, in both languages."""

    code: str
    zh: str
    en: str


class Price(TypedDict):
    """What it costs, in whole fen, and who bears it. `held_fen` is what the beginning of a journey holds, `waived_fen`
    what the operator bears; null where there is none.
    """

    full_fen: int
    paid_fen: int
    funded_fen: int
    waived_fen: int
    held_fen: int | None
    concession: str | None


class Told(TypedDict):
    """The part of an answer that a use and an explanation share."""

    admitted: bool
    verdict: VerdictTold
    reasons: list[Reason]
    price: Price


class UseTold(Told):
    """What became of a use. `balance_fen` is what the purse has left, in whole fen; null where the item does not touch
    it, and in a repeated answer.
    """

    use: UUID
    balance_fen: int | None
    repeated: bool


class Refunded(TypedDict):
    """A use given back, in whole fen: to the purse, and to who funded it."""

    refund: UUID
    use: UUID
    paid_fen: int
    funded_fen: int
    repeated: bool


class Rule(TypedDict):
    """One rule that the decision looked at. `left_fen` is what it leaves to pay; null: it is not about money."""

    rule: str
    outcome: str
    zh: str
    en: str
    left_fen: int | None
    as_recorded: bool


class Recorded(TypedDict):
    """What a recorded use keeps. Whole fen."""

    verdict: Verdict
    full_fen: int
    paid_fen: int
    waived_fen: int
    concession: str | None


class Sentence(TypedDict):
    """A sentence in both languages."""

    zh: str
    en: str


class Explained(Told):
    """Every rule that the decision looked at, in its order, up to the first refusal."""

    steps: list[Rule]
    agrees: bool | None
    recorded: Recorded | None
    differs: Sentence | None
    gate: AtGate | None


class Paired(TypedDict):
    """A terminal's key, 64 hex digits, shown here and never again; and the journal that it numbers its lines in."""

    terminal: str
    key_id: int
    key: str
    algorithm: str
    journal: str


class Window(TypedDict):
    """A code, and when it holds (Unix seconds)."""

    not_before: int
    expires: int
    code: str


class Windows(TypedDict):
    """The next codes of an e-card, one after another; `server_time` in Unix seconds."""

    server_time: int
    windows: list[Window]


class NumberGiven(TypedDict):
    """A number to read aloud, and until when it holds (Unix seconds)."""

    server_time: int
    number: str
    expires: int


class Taken(TypedDict):
    """How far a journal is taken: its last sequence without a gap before it, and that line's mac."""

    through: int
    chain: str
    server_time: int


class UploadTold(TypedDict):
    """The last line of the answer to an upload: what its lines came to. `code` and words say what ended it midway."""

    done: bool
    lines: int
    recorded: int
    repeated: int
    rejected: int
    server_time: int
    through: int
    chain: str
    code: NotRequired[str]
    zh: NotRequired[str]
    en: NotRequired[str]


class PublicKeyTold(TypedDict):
    """A key that verifies codes: bytes in hex, moments in Unix seconds, null is open-ended."""

    kid: str
    purpose: str
    suite: str
    public: str
    signs_from: int | None
    signs_to: int | None
    verifies_to: int | None


class Keys(TypedDict):
    """The keys of the issuing place; `withdrawn_keys` is a JWT."""

    issuer: str
    keys: list[PublicKeyTold]
    withdrawn_keys: str


class BankHealth(TypedDict):
    """Whether the bank is left alone for a while after silences in a row."""

    resting: bool
    silences: int
    rests: int


class Health(TypedDict):
    """What this process has done since it began; `bank` is null where there is none to ask."""

    status: str
    groups: int
    lines: int
    faults: int
    bank: BankHealth | None


class Detail(TypedDict):
    """What happened, and what to do next; empty where there is nothing to do."""

    zh: str
    en: str
    next_zh: str
    next_en: str


class Problem(TypedDict):
    """What is not a verdict (RFC 9457). Decide by `code`, which is stable; show `detail`; name `trace` when asking for
    help.
    """

    type: str
    status: int
    code: str
    title: str
    detail: Detail
    trace: str
