"""Hands one message to the operator within a time limit (docs/sms-gateway.md). Blocks its thread; imports no Django."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

from onecard.foundation.errors import Unavailable

ANSWER_S = 5.0
URL, KEY = "ONECARD_SMS_URL", "ONECARD_SMS_KEY"
ACCEPTED = 202


class NotTaken(Exception):
    """The operator did not say that it takes the message. It may have taken it: the same id is safe to send again."""


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator behind an address (``https://host:port``), and the key it knows us by."""

    url: str
    key: str = field(repr=False)
    answer_s: float = ANSWER_S

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Operator | None":
        """The operator that ONECARD_SMS_URL and ONECARD_SMS_KEY name; None where neither is set.

        Raises Unavailable SMS_MISCONFIGURED.
        """
        url, key = environment.get(URL, ""), environment.get(KEY, "")
        if not url and not key:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise _misconfigured()
        if not key or not key.isascii():
            raise _misconfigured()
        return cls(url, key)

    def send(self, message: UUID, phone: str, text: str) -> None:
        """Hand a message over. Raises NotTaken."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.answer_s)
        body = json.dumps({"id": str(message), "to": phone, "text": text}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        try:
            connection.request("POST", "/v1/messages", body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:  # TimeoutError is an OSError
            raise NotTaken(type(error).__name__) from None
        finally:
            connection.close()
        if status != ACCEPTED:
            raise NotTaken(f"status {status}")


def _misconfigured() -> Unavailable:
    return Unavailable(
        "SMS_MISCONFIGURED",
        f"短信通道的设置 {URL}、{KEY} 不正确。",
        f"The settings {URL} and {KEY} of the operator of short messages are wrong.",
        next_zh="地址应为 https://主机:端口，密钥不能为空；改正后重新启动。",
        next_en="Give https://host:port and a key that is not empty, and start again.",
    )
