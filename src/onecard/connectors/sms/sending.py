"""Sends the code that a holder asked for to the phone that is registered for them."""

import logging
import os
from uuid import UUID

from django.conf import settings

from onecard.connectors.sms.caller import Operator
from onecard.kernel.holders import queries as holders
from onecard.kernel.signins import codes

log = logging.getLogger("onecard.sms")


def send_code(code_id: UUID) -> bool:
    """Send a code that is still good; whether there was anything to send. Raises NotTaken.

    Whoever asks under a number that nobody has gets no message, and no other answer either.
    """
    asked = codes.to_send(code_id)
    if asked is None:
        return False
    phone = holders.phone_of(asked.holder_id)
    operator = Operator.from_environment(os.environ)
    if operator is None:
        log.warning("no operator of short messages is set: code %s is not sent", code_id)
        return False
    if not phone:
        return False
    operator.send(code_id, phone, text_of(asked.code))
    return True


def text_of(code: str) -> str:
    """What the message says, in both languages: who signs in is not known yet, nor their language."""
    minutes = int(codes.LIFE.total_seconds() // 60)
    return (
        f"【{settings.ONECARD_PRODUCT['zh']}】登录验证码 {code}，{minutes} 分钟内有效。工作人员不会向您索要。"
        f" Sign-in code {code}, good for {minutes} minutes. Staff never ask for it."
    )
