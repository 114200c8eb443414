"""Errors: what went wrong, in both languages, and what to do next.

    OneCardError                an error has a stable code, an HTTP status, a sentence and a remedy
    ├── BadInput        400     the request or file is malformed; nothing was written
    ├── NotPermitted    403     the actor lacks a permission or works outside their scope
    ├── NotFound        404     no such thing, or none the actor may see
    ├── Conflict        409     the state of things does not allow this move, or an id was used with other content
    └── Unavailable     503     we cannot answer now; retrying with the same id is safe

A refused *use* is not an error: it is a verdict, a value.
"""


class OneCardError(Exception):
    """The root. `code` is stable for programs; `zh`/`en` say what happened; `next_zh`/`next_en` what to do next."""

    status = 500

    def __init__(self, code: str, zh: str, en: str, *, next_zh: str = "", next_en: str = "") -> None:
        super().__init__(f"{code}: {en}")
        self.code = code
        self.zh = zh
        self.en = en
        self.next_zh = next_zh
        self.next_en = next_en


class BadInput(OneCardError):
    status = 400


class NotPermitted(OneCardError):
    status = 403


class NotFound(OneCardError):
    status = 404


class Conflict(OneCardError):
    status = 409


class Unavailable(OneCardError):
    status = 503
