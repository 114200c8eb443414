"""A terminal's first use, with nothing but Python's standard library.

    python3 docs/examples/terminal.py pair URL PAIRING_CODE      the terminal's key, into terminal.json
    python3 docs/examples/terminal.py code URL DEVICE_TOKEN      what a phone shows: the code of this minute
    python3 docs/examples/terminal.py use URL ITEM CODE          present it, then send the same line once more

URL is the gateway, e.g. http://localhost:8802. Everything is said in docs/api-gateway.md.
"""

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

STATE = "terminal.json"


def post(url: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON answer; a refusal in words is an answer too."""
    kept = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(url + path, body, kept)  # noqa: S310 - the gateway you named
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def sign(terminal: dict[str, Any], method: str, path: str, sequence: int, body: bytes) -> dict[str, str]:
    """The six headers of a signed request."""
    now = str(int(time.time()))
    algorithm = terminal["algorithm"].removeprefix("hmac-")  # sha256, or sm3 at a node of the other suite
    digest = hashlib.new(algorithm, body).hexdigest()
    message = "\n".join([method, path, now, terminal["journal"], str(sequence), digest])
    return {
        "OneCard-Terminal": terminal["terminal"],
        "OneCard-Key": str(terminal["key_id"]),
        "OneCard-Time": now,
        "OneCard-Journal": terminal["journal"],
        "OneCard-Sequence": str(sequence),
        "OneCard-Signature": hmac.digest(bytes.fromhex(terminal["key"]), message.encode(), algorithm).hex(),
    }


def pair(url: str, pairing_code: str) -> None:
    """A pairing code becomes a key, once. Keep the file as you would keep the key of a till."""
    body = json.dumps({"pairing_code": pairing_code}).encode()
    status, answer = post(url, "/v1/pairings", body, {})
    if status == 200:
        save({**answer, "sequence": 0})
        answer = {**answer, "key": "…"}
    show(status, answer)


def code(url: str, device_token: str) -> None:
    """The code of this minute, as a phone would show it."""
    status, answer = post(url, "/v1/codes", b'{"windows": 1}', {"Authorization": f"Bearer {device_token}"})
    print(answer["windows"][0]["code"] if status == 200 else json.dumps(answer, ensure_ascii=False, indent=1))


def use(url: str, item: str, text: str) -> None:
    """Take the next sequence before sending, so that a line is never sent under two of them."""
    with open(STATE, encoding="utf-8") as file:
        terminal = json.load(file)
    terminal["sequence"] += 1
    save(terminal)
    body = json.dumps({"item": item, "code": text}).encode()
    for _ in range(2):
        show(*post(url, "/v1/uses", body, sign(terminal, "POST", "/v1/uses", terminal["sequence"], body)))


def save(terminal: dict[str, Any]) -> None:
    """Write the state whole or not at all, for this user only."""
    with open(os.open(STATE + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(terminal, file)
    os.replace(STATE + ".new", STATE)


def show(status: int, answer: dict[str, Any]) -> None:
    print(status, json.dumps(answer, ensure_ascii=False, indent=1))


COMMANDS: dict[tuple[str, int], Callable[..., None]] = {("pair", 2): pair, ("code", 2): code, ("use", 3): use}

if __name__ == "__main__":
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if (name, len(arguments)) not in COMMANDS:
        raise SystemExit(__doc__)
    COMMANDS[name, len(arguments)](*arguments)
