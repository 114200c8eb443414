"""The terminal page (终端页面): `GET /terminal/` and what it loads, to anyone. Files that are read once, at start.

A page holds no secret: the terminal's key is given to the browser at pairing, and stays there. What the page is made of
lies under a path that carries a digest of all of it, so that a browser may keep it for ever; the two files that name
this path, the page itself and its service worker, are asked for anew each time.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from onecard.gateway import errors
from onecard.gateway.wire import Response
from onecard_kit import classes, codes, reasons, requests
from onecard_kit.offline import OFFLINE_WORDS
from onecard_kit.terms import Item
from onecard_kit.verdicts import WORDS

PATH: Final = "/terminal/"
_OWN: Final = Path(__file__).parent / "terminal_page"
_SHARED: Final = Path(__file__).parents[1] / "foundation" / "web" / "static"
_FROM_SHARED: Final = ("css/tokens.css", "css/kit.css", "icon.svg", "vendor/icons.svg", "vendor/tabler-icons.LICENSE")
# The page and its service worker: by the path at which each is asked for.
_ENTRIES: Final = {"": "index.html", "sw.js": "sw.js"}
_KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_TEXT: Final = "text/plain; charset=utf-8"
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_SECURITY: Final = (
    ("content-security-policy", _POLICY),
    ("permissions-policy", "camera=(self), microphone=(), geolocation=(), payment=(), usb=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
_FOR_EVER: Final = ("cache-control", "public, max-age=31536000, immutable")
_ASK_AGAIN: Final = ("cache-control", "no-cache")


@dataclass(frozen=True, slots=True)
class Page:
    """The page's files as answers, by their path below `/terminal/`, and the tag of this state of them."""

    etag: str
    answers: Mapping[str, Response]
    unchanged: Response

    @classmethod
    def read(cls, mac: str) -> "Page":
        """Read the page as it is for a node whose terminals' keys are for `mac`."""
        files = dict(_files(mac))
        digest = hashlib.sha256()
        for name, content in sorted(files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        version = digest.hexdigest()[:16]
        etag = f'"{version}"'
        entries = {path: files.pop(name) for path, name in _ENTRIES.items()}
        answers = {f"{version}/{name}": _answer(name, content, _FOR_EVER) for name, content in files.items()}
        listed = json.dumps(sorted(answers)).encode()
        for path, content in entries.items():
            filled = content.replace(b"{{ version }}", version.encode()).replace(b'"{{ files }}"', listed)
            answers[path] = _answer(_ENTRIES[path], filled, _ASK_AGAIN, ("etag", etag))
        return cls(etag, answers, Response(304, b"", (_ASK_AGAIN, ("etag", etag)), _TEXT))

    def answer(self, path: str, if_none_match: str | None) -> Response:
        """The file at a path, or 304 for a page that is as the browser has it. Raises NoSuchPath."""
        found = self.answers.get(path.removeprefix(PATH))
        if found is None:
            raise errors.no_such_path()
        return self.unchanged if if_none_match == self.etag and _ASK_AGAIN in found.headers else found


def _files(mac: str) -> Iterator[tuple[str, bytes]]:
    """Every file by its name on the page: its own, those it shares with the other faces, and what the kit says."""
    for path in sorted(_OWN.rglob("*")):
        if path.is_file():
            yield path.relative_to(_OWN).as_posix(), path.read_bytes()
    for name in _FROM_SHARED:
        yield f"shared/{name}", (_SHARED / name).read_bytes()
    yield "js/kit.js", _kit(mac)


def _kit(mac: str) -> bytes:
    """The kit's words and numbers as a module of the page, so that each stands in one place only."""
    said = {
        "MAC": mac,
        "CHARS_MAX": codes.CHARS_MAX,
        "CLOCK_SKEW_S": codes.CLOCK_SKEW_S,
        "TIME_TOLERANCE_S": requests.TIME_TOLERANCE_S,
        "CLASSES": {each.number: {"code": each.code, "zh": each.zh, "en": each.en} for each in classes.CLASSES},
        "LOOK": reasons.LOOK,
        "ITEM_KEYS": _shape(msgspec.inspect.type_info(Item)),
        "VERDICTS": {
            verdict.value: {"zh": words.zh, "en": words.en, "next_zh": words.next_zh, "next_en": words.next_en}
            for verdict, words in (*WORDS.items(), *OFFLINE_WORDS.items())
        },
    }
    lines = (f"export const {name} = {json.dumps(value, ensure_ascii=False)};\n" for name, value in said.items())
    return "".join(lines).encode()


def _shape(kind: msgspec.inspect.Type) -> object:
    """The keys of a declaration, table by table, and the words that may stand where only some may; 1 where anything
    may. A page that is older than an item file knows by it that it does not understand the file.
    """
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            return {field.encode_name: _shape(field.type) for field in fields}
        case msgspec.inspect.EnumType(cls=cls):
            return [each.value for each in cls]
        case msgspec.inspect.VarTupleType(item_type=item):
            return _shape(item)
        case msgspec.inspect.UnionType(types=types):
            return next((shape for shape in map(_shape, types) if shape != 1), 1)
    return 1


def _answer(name: str, content: bytes, *headers: tuple[str, str]) -> Response:
    return Response(200, content, (*_SECURITY, *headers), _KINDS.get(Path(name).suffix, _TEXT))
