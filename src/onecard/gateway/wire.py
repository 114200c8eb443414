"""What travels: requests decoded strictly, answers and problems (RFC 9457) encoded. Both languages in every answer."""

from typing import IO, Any, cast
from uuid import UUID

import msgspec

from onecard.foundation.errors import BadInput, OneCardError
from onecard.gateway import answers
from onecard.kernel.uses.lines import Answer
from onecard_kit.presentation import Chip, Presentation
from onecard_kit.reasons import LOOK, reasons
from onecard_kit.terms import Leg
from onecard_kit.verdicts import WORDS, Verdict

BODY_BYTES_MAX = 4096
TOLD_KEPT_MAX = 10_000


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    use: UUID


class ExplanationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either a recorded `use`, or what a presentation says, which is then asked about and not recorded."""

    use: UUID | None = None
    item: str | None = None
    code: str | None = None
    card: Chip | None = None
    amount_fen: int | None = None
    leg: Leg | None = None


class PairingRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pairing_code: str


class CodesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    windows: int = 10


class NumberRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to choose."""


class Response(msgspec.Struct, frozen=True):
    """Status, body and extra headers of one answer. Without a `kind` (media type) it is JSON or a problem, which nobody
    may keep. A `file` on disk comes in place of the body of a long answer.
    """

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    kind: str | None = None
    file: IO[bytes] | None = None


_use_request = msgspec.json.Decoder(Presentation)
_explanation_request = msgspec.json.Decoder(ExplanationRequest)


def use_request(body: bytes) -> Presentation:
    """Decode a use. Raises BadInput REQUEST_MALFORMED with the path of what is wrong."""
    return _checked(decode(body, _use_request))


def explanation_request(body: bytes) -> UUID | Presentation:
    """Decode what is to be explained. Raises BadInput REQUEST_MALFORMED."""
    asked: ExplanationRequest = decode(body, _explanation_request)
    if asked.use is not None:
        if asked != ExplanationRequest(asked.use):
            raise _malformed("$: expected nothing beside use")
        return asked.use
    if asked.item is None:
        raise _malformed("$: expected use or item")
    return _checked(Presentation(asked.item, asked.code, asked.card, asked.amount_fen, asked.leg))


def _checked(request: Presentation) -> Presentation:
    if request.flaw is not None:
        raise _malformed(request.flaw)
    return request


def decode(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Decode a JSON body strictly. Raises BadInput REQUEST_MALFORMED."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(str(error)) from None


def require_plain(content_encoding: str | None) -> None:
    """A body that is packed holds no lines, and would be taken for an empty one. Raises BadInput REQUEST_MALFORMED."""
    if content_encoding not in (None, "identity"):
        raise _malformed("Content-Encoding: expected identity")


def _malformed(what: str) -> BadInput:
    return BadInput(
        "REQUEST_MALFORMED",
        f"请求格式不正确：{what}",
        f"The request is malformed: {what}",
        next_zh="请对照接口文档修正后，用新的序号重发。",
        next_en="Correct it after the reference and send it under a new sequence.",
    )


def use_answer(answer: Answer) -> Response:
    """The answer to a use, the same for an admission and a refusal: a refusal is a value, not an error."""
    balance = "null" if answer.balance_fen is None else str(answer.balance_fen)
    repeated = "true" if answer.repeated else "false"
    own = f'{{"use":"{answer.use_id}","balance_fen":{balance},"repeated":{repeated},'
    return Response(200, own.encode() + _told(answer))


def _told(answer: Answer) -> bytes:
    """The part of an answer that many uses share: verdict, reasons and price, encoded once for each item version."""
    version = None if answer.item is None else (answer.item.code, answer.item.version)
    key = (
        answer.verdict,
        version,
        answer.full_fen,
        answer.paid_fen,
        answer.waived_fen,
        answer.held_fen,
        answer.concession,
        answer.look,
    )
    told = _told_before.get(key)
    if told is None:
        if len(_told_before) >= TOLD_KEPT_MAX:
            _told_before.clear()
        told = _told_before[key] = _tell(answer)
    return told


_told_before: dict[tuple[object, ...], bytes] = {}


def _tell(answer: Answer) -> bytes:
    words = WORDS[answer.verdict]
    full_fen, paid_fen, waived_fen = answer.full_fen, answer.paid_fen, answer.waived_fen
    why = reasons(
        answer.verdict, answer.item, full_fen, paid_fen, waived_fen, answer.concession, answer.held_fen
    )  # fmt: skip
    told: answers.Told = {
        "admitted": answer.verdict is Verdict.ADMITTED,
        "verdict": {"code": answer.verdict, "zh": words.zh, "en": words.en,
                    "next_zh": words.next_zh, "next_en": words.next_en},
        "reasons": cast("list[answers.Reason]", [*why, LOOK] if answer.look else why),
        "price": {"full_fen": full_fen, "paid_fen": paid_fen, "funded_fen": full_fen - paid_fen - waived_fen,
                  "waived_fen": waived_fen, "held_fen": answer.held_fen, "concession": answer.concession},
    }  # fmt: skip
    return msgspec.json.encode(told)[1:]


def json_response(value: Any, status: int = 200) -> Response:
    return Response(status, msgspec.json.encode(value))


def problem(error: OneCardError, trace: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A problem (RFC 9457) from an error: stable code, words, next step, and the trace id to name when asking for
    help."""
    body: answers.Problem = {
        "type": "about:blank",
        "status": error.status,
        "code": error.code,
        "title": error.en,
        "detail": {"zh": error.zh, "en": error.en, "next_zh": error.next_zh, "next_en": error.next_en},
        "trace": trace,
    }
    return Response(error.status, msgspec.json.encode(body), headers)
