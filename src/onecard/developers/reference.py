"""View values of the reference: the two OpenAPI documents as pages, with the words of `words.toml`.

The files are read once. Nothing here asks a database.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from onecard.developers.colours import coloured
from onecard.foundation.errors import NotFound
from onecard.kernel.messages.kinds import KINDS
from onecard.kernel.sharing.scopes import SCOPE_OF
from onecard_kit.verdicts import WORDS, Verdict

HERE: Final = Path(__file__).parent
INTERFACES: Final = ("gateway", "department")
DEPTH_MAX: Final = 4
ENUM_SHOWN_MAX: Final = 6
ALWAYS_ALIKE: Final = frozenset({"NO_SUCH_PATH", "METHOD_NOT_ALLOWED"})

Words = dict[str, str]
Schema = dict[str, Any]


class Entry(NamedTuple):
    """An operation in the list of all."""

    interface: str
    name: str
    method: str
    path: str
    title: Words


class Group(NamedTuple):
    """Operations of one subject."""

    title: Words
    entries: list[Entry]


class Field(NamedTuple):
    """A line of a table of fields: `path` from the outside in, `kind` as JSON Schema has it, `values` where only some
    may stand.
    """

    path: str
    kind: str
    required: bool
    said: Words
    values: list[str]


class Refusal(NamedTuple):
    """A problem: what happened, and what to do next, which is empty where there is nothing to do."""

    status: int
    code: str
    cause: Words
    next: Words


class Page(NamedTuple):
    """An operation: what it is for, what it takes, what it answers and refuses with, and an example."""

    entry: Entry
    interface: Words
    about: Words
    by: str
    scope: str
    idempotent: bool
    parameters: list[Field]
    body: list[Field]
    body_kind: str
    answer: list[Field]
    answer_kind: str
    refusals: list[Refusal]
    request: Markup
    told: Markup


@dataclass(frozen=True)
class Document:
    """One OpenAPI document."""

    name: str
    plain: Schema

    def operations(self) -> Iterator[tuple[str, str, Schema]]:
        """(method, path, operation) in the document's order."""
        for path, methods in self.plain["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def resolved(self, schema: Schema) -> Schema:
        """A schema that stands by reference elsewhere; itself otherwise."""
        if "$ref" not in schema:
            return schema
        found: Any = self.plain
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return {"title": part, **found}


@cache
def document(name: str) -> Document:
    return Document(name, json.loads((HERE / "data" / f"{name}.json").read_text(encoding="utf-8")))


@cache
def words() -> Mapping[str, Any]:
    return tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))


def both(said: list[Any]) -> Words:
    return {"zh": said[0], "en": said[1]}


def groups(interface: str) -> list[Group]:
    """The operations of an interface, by subject."""
    found: dict[str, list[Entry]] = {}
    for method, path, operation in document(interface).operations():
        name = operation["operationId"]
        title = both(words()["operations"][interface][name])
        found.setdefault(operation["tags"][0], []).append(Entry(interface, name, method, path, title))
    return [Group(both(words()["groups"][tag]), entries) for tag, entries in found.items()]


def title_of(interface: str, name: str) -> Words:
    """What an operation is called; its name where the reference has none of it."""
    known: dict[str, list[Any]] = words()["operations"][interface]
    return both(known.get(name, [name, name]))


def interface_words(interface: str) -> Words:
    return both(words()["interfaces"][interface])


def page(interface: str, name: str) -> Page:
    """An operation's page. Raises NotFound OPERATION_UNKNOWN."""
    if interface in INTERFACES:
        for method, path, operation in document(interface).operations():
            if operation["operationId"] == name:
                return _page(document(interface), method, path, operation)
    raise NotFound("OPERATION_UNKNOWN", "没有这个接口。", "There is no such operation.")


def _page(of: Document, method: str, path: str, operation: Schema) -> Page:
    name = operation["operationId"]
    parameters = [of.resolved(each) for each in operation.get("parameters", ())]
    asked_kind, asked = _content(operation.get("requestBody", {}))
    answer_kind, answered = _answered(operation)
    return Page(
        Entry(of.name, name, method, path, both(words()["operations"][of.name][name])),
        interface_words(of.name),
        both(words()["about"][of.name][name]),
        *_by(operation),
        any(each["name"] == "Idempotency-Key" for each in parameters),
        [_parameter(of, each) for each in parameters],
        list(_fields(of, asked)),
        asked_kind,
        list(_fields(of, answered)),
        answer_kind,
        list(_refusals(of, operation)),
        coloured(_request(of, method, path, parameters, asked_kind, asked, operation)),
        coloured(_text(of, answered, answer_kind)),
    )


def _by(operation: Schema) -> tuple[str, str]:
    """How a caller proves itself, by the name of its scheme ("" for nothing), and the scope that it takes."""
    for scheme in operation.get("security", ()):
        for name, scopes in scheme.items():
            return name, " ".join(scopes)
    return "", ""


def _content(body: Schema) -> tuple[str, Schema]:
    for kind, content in body.get("content", {}).items():
        return kind, content.get("schema", {})
    return "", {}


def _answered(operation: Schema) -> tuple[str, Schema]:
    found: Schema = next((each for status, each in operation["responses"].items() if status.startswith("2")), {})
    return _content(found)


def _parameter(of: Document, parameter: Schema) -> Field:
    schema = of.resolved(parameter["schema"])
    said = both(_said("", parameter["name"]))
    return Field(parameter["name"], _kind(of, schema), parameter.get("required", False), said, _values(of, schema))


def _said(shape: str, name: str) -> list[Any]:
    known: dict[str, list[Any]] = words()["fields"]
    return known.get(f"{shape}.{name}") or known[name]


def _fields(of: Document, schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[Field]:
    """The fields of a shape, those of shapes within it after each, from the outside in."""
    shape = _one(of, schema)
    for each in _shapes(of, shape):
        for name, inner in each.get("properties", {}).items():
            path = f"{prefix}{name}"
            said = both(_said(each.get("title", ""), name))
            required = name in each.get("required", ())
            yield Field(path, _kind(of, inner), required, said, _values(of, inner))
            within = _one(of, inner)
            if depth < DEPTH_MAX and name != "declaration":
                if within.get("type") == "array":
                    yield from _fields(of, within["items"], f"{path}[].", depth + 1)
                else:
                    yield from _fields(of, within, f"{path}.", depth + 1)


def _shapes(of: Document, shape: Schema) -> Iterator[Schema]:
    """A shape, or each of those that it may be."""
    alternatives = [_one(of, each) for each in shape.get("anyOf", ())]
    yield from (each for each in alternatives if "properties" in each) if "properties" not in shape else (shape,)


def _one(of: Document, schema: Schema) -> Schema:
    """What a schema comes to where null is the only other thing that may stand there."""
    found = of.resolved(schema)
    for several in ("anyOf", "allOf"):
        kinds = [each for each in found.get(several, ()) if each.get("type") != "null" and each.get("const") != ""]
        if len(kinds) == 1:
            return _one(of, kinds[0])
    return found


def _kind(of: Document, schema: Schema) -> str:
    """A type in the words of JSON Schema."""
    found = _one(of, schema)
    nullable = any(each.get("type") == "null" for each in of.resolved(schema).get("anyOf", ()))
    kind = found.get("format") or found.get("type") or ("string" if "enum" in found else "object")
    if kind == "array":
        kind = f"{_kind(of, found['items'])}[]"
    return f"{kind} | null" if nullable else str(kind)


def _values(of: Document, schema: Schema) -> list[str]:
    found = _one(of, schema)
    values = [str(each) for each in found.get("enum", ())]
    return values if len(values) <= ENUM_SHOWN_MAX else []


def kinds() -> list[tuple[str, Words, str]]:
    """Every kind of message: its name, what it says, and the scope that it takes."""
    return [(kind.value, {"zh": said.zh, "en": said.en}, SCOPE_OF[kind].value) for kind, said in KINDS.items()]


# --- examples ---------------------------------------------------------------------------------------------------------


def example(of: Document, schema: Schema, shape: str = "", name: str = "") -> Any:
    """A value that the schema takes, from the samples of `words.toml`."""
    found = _one(of, schema)
    if name == "declaration":
        return {}
    if "properties" in found or "anyOf" in found:
        each = next(_shapes(of, found), {})
        asked = bool(each.get("additionalProperties") is False)
        return {
            key: example(of, inner, each.get("title", ""), key)
            for key, inner in each.get("properties", {}).items()
            if key in each.get("required", ()) or not asked or key in SHOWN.get(each.get("title", ""), ())
        }
    if found.get("type") == "array":
        return [example(of, found["items"], shape, name)]
    said = _said(shape, name) if name else []
    if len(said) > 2 and _takes(found, said[2]):
        return said[2]
    return _plain(found)


# Of shapes in which one thing of several is chosen, what the example chooses.
SHOWN: Final = {
    "Presentation": ("code",),
    "ExplanationRequest": ("use",),
    "CodesRequest": ("windows",),
    "Number": ("card_number",),
    "WatchAsked": ("days",),
}


def _takes(schema: Schema, value: Any) -> bool:
    """Whether a sample may stand where a schema says."""
    if "enum" in schema:
        return value in schema["enum"]
    kinds = {"string": str, "integer": int, "boolean": bool, "number": int}
    return isinstance(value, kinds.get(schema.get("type", "string"), object))


def _plain(schema: Schema) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    return {"integer": 0, "boolean": False, "object": {}, "number": 0}.get(schema.get("type", "string"), "…")


def _text(of: Document, schema: Schema, kind: str) -> str:
    """An example as it travels."""
    if kind.endswith("ndjson"):
        lines = [example(of, each) for each in schema["anyOf"]]
        return "\n".join(json.dumps(each, ensure_ascii=False) for each in lines)
    if kind.endswith("json"):
        return json.dumps(example(of, schema), ensure_ascii=False, indent=2)
    if kind == "application/x-www-form-urlencoded":
        return "grant_type=client_credentials"
    return "…" if kind else ""


def _request(
    of: Document, method: str, path: str, parameters: list[Schema], kind: str, asked: Schema, operation: Schema
) -> str:  # fmt: skip
    """A request as it travels."""
    for each in parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", _sample(each["name"]))
    headers = [f"{each['name']}: {_sample(each['name'])}" for each in parameters if each["in"] == "header"]
    by, _ = _by(operation)
    headers += PROVING.get(by, [])
    if kind:
        headers.append(f"Content-Type: {kind}")
    body = _text(of, asked, kind)
    return "\n".join([f"{method} {path} HTTP/1.1", *headers, *(["", body] if body else [])])


PROVING: Final = {
    "TerminalSignature": ["OneCard-Signature: 5a1c…"],
    "DeviceToken": ["Authorization: Bearer …"],
    "OAuth2": ["Authorization: Bearer 4f9c…"],
    "ClientCredential": ["Authorization: Basic TlQt…"],
}


def _sample(name: str) -> str:
    said = _said("", name)
    return str(said[2]) if len(said) > 2 else "…"


# --- refusals ---------------------------------------------------------------------------------------------------------


@cache
def refusals(interface: str) -> list[Refusal]:
    """Every problem of an interface, by status and code."""
    told = json.loads((HERE / "data" / "refusals.json").read_text(encoding="utf-8"))[interface]
    return [
        Refusal(
            each["status"],
            each["code"],
            {"zh": each["zh"], "en": each["en"]},
            {"zh": each["next_zh"], "en": each["next_en"]},
        )
        for each in told
    ]


def verdicts() -> list[tuple[str, Words, Words]]:
    """Every verdict in its order of precedence: code, cause, next step."""
    return [
        (each.value, {"zh": said.zh, "en": said.en}, {"zh": said.next_zh, "en": said.next_en})
        for each in Verdict
        for said in (WORDS[each],)
    ]


def _refusals(of: Document, operation: Schema) -> Iterator[Refusal]:
    """Those of an operation that its document names; a status alone where it names no codes."""
    known = {(each.status, each.code): each for each in refusals(of.name)}
    for status, answer in operation["responses"].items():
        if not status.startswith(("4", "5")):
            continue
        _, schema = _content(answer)
        for code in _codes(schema):
            if code not in ALWAYS_ALIKE:
                yield known.get((int(status), code)) or _of_verdict(int(status), code)


def _codes(schema: Schema) -> list[str]:
    return next((each["properties"]["code"]["enum"] for each in schema.get("allOf", ()) if "properties" in each), [])


def _of_verdict(status: int, code: str) -> Refusal:
    """A problem that carries the code of a verdict."""
    said = WORDS[Verdict(code)]
    return Refusal(status, code, {"zh": said.zh, "en": said.en}, {"zh": said.next_zh, "en": said.next_en})
