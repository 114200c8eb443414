"""Whose code is shown to an officer, at a counter. Nothing is recorded as a use and the code is not spent."""

from onecard.foundation import clock, node, suite
from onecard.foundation.errors import BadInput, NotFound
from onecard.kernel.ecards import queries
from onecard.kernel.ecards.models import Ecard, Key, PaperCode
from onecard.kernel.uses.present import Presented, read_code
from onecard_kit.suites import PublicKey, Purpose
from onecard_kit.verdicts import WORDS


def holder_of_code(text: str) -> int:
    """The holder whose code is shown.

    Raises BadInput with the verdict of a code that is not genuine or not of now, NotFound ECARD_UNKNOWN.
    """
    shown = read_code(text, clock.now(), _public_keys(), queries.refs())
    if shown.problem is not None:
        words = WORDS[shown.problem]
        raise BadInput(shown.problem.value, words.zh, words.en, next_zh=words.next_zh, next_en=words.next_en)
    serial = _serial_of(shown)
    found = Ecard.objects.filter(pk=serial) if serial is not None else Ecard.objects.none()
    holder_id = found.values_list("card__holder_id", flat=True).first()
    if holder_id is None:
        raise NotFound("ECARD_UNKNOWN", "没有这张电子社保卡。", "There is no such e-card.")
    return holder_id


def _serial_of(shown: Presented) -> int | None:
    if shown.paper is None:
        return shown.serial
    return PaperCode.objects.filter(pk=shown.paper, revoked_at=None).values_list("ecard_id", flat=True).first()


def _public_keys() -> dict[tuple[str, bytes], PublicKey]:
    """The issuing place's keys, as gates know them."""
    place = node.code()
    return {
        (place, bytes(key.kid)): PublicKey(
            suite.signature_suite(key.suite), bytes(key.kid), bytes(key.public), Purpose(key.purpose)
        )
        for key in Key.objects.filter(withdrawn_at=None)
    }
