"""The reference is whole: a page for every operation of both interfaces, words for every field, in both languages."""

import html
import json
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from tools import docs, references

from onecard.developers import colours, reference, signature
from onecard_kit import requests
from onecard_kit.verdicts import Verdict

OPERATIONS = [
    (interface, each.name)
    for interface in reference.INTERFACES
    for group in reference.groups(interface)
    for each in group.entries
]


def page(path: str, language: str = "zh") -> str:
    response = Client().get(path, {"lang": language})
    assert response.status_code == 200
    return response.content.decode()


def test_the_files_are_as_the_code_is() -> None:
    """If this fails: python tools/docs.py, and words.toml for what is new."""
    assert references.write(docs.REFERENCES, docs.REFUSED, check=True) == []


def test_words_stand_for_what_there_is_and_nothing_else() -> None:
    for interface in reference.INTERFACES:
        names = {operation["operationId"] for _, _, operation in reference.document(interface).operations()}
        assert set(reference.words()["operations"][interface]) == names
        assert set(reference.words()["about"][interface]) == names
    taken = set()
    for interface in reference.INTERFACES:
        document = reference.document(interface)
        for shape, schema in document.plain["components"]["schemas"].items():
            taken |= {part for name in schema.get("properties", ()) for part in (name, f"{shape}.{name}")}
        for _, _, operation in document.operations():
            taken |= {document.resolved(each)["name"] for each in operation.get("parameters", ())}
            _, asked = reference._content(operation.get("requestBody", {}))
            taken |= set(asked.get("properties", ()))
    assert set(reference.words()["fields"]) - taken == set()


@pytest.mark.django_db
@pytest.mark.parametrize(("interface", "name"), OPERATIONS)
def test_every_operation_has_its_page_in_both_languages(interface: str, name: str) -> None:
    view = reference.page(interface, name)
    for language in ("zh", "en"):
        told = html.unescape(page(f"/dev/{interface}/{name}", language))
        assert f"<h1>{view.entry.title[language]}</h1>" in told
        assert view.about[language] in told
        for field in (*view.parameters, *view.body, *view.answer):
            assert f"<code>{field.path}</code>" in told
            assert field.said[language] in told
        for refusal in view.refusals:
            assert refusal.code in told


@pytest.mark.parametrize(("interface", "name"), OPERATIONS)
def test_every_example_is_what_the_interface_takes_and_answers(interface: str, name: str) -> None:
    of = reference.document(interface)
    operation = next(each for _, _, each in of.operations() if each["operationId"] == name)
    bodies = [reference._content(operation.get("requestBody", {})), reference._answered(operation)]
    for kind, schema in bodies:
        if not kind.endswith("/json"):
            continue
        whole = {**schema, "components": of.plain["components"]}
        jsonschema_rs.validator_for(whole).validate(reference.example(of, schema))


@pytest.mark.django_db
def test_every_verdict_and_problem_is_in_the_table() -> None:
    told = page("/dev/codes")
    for verdict in Verdict:
        assert f'id="{verdict.value}"' in told
    for interface in reference.INTERFACES:
        assert reference.refusals(interface)
        for refusal in reference.refusals(interface):
            assert refusal.code in told
            assert refusal.cause["zh"]
            assert refusal.cause["en"]
            assert bool(refusal.next["zh"]) == bool(refusal.next["en"]), refusal.code


@pytest.mark.django_db
def test_the_documents_are_handed_out_and_nothing_else_is() -> None:
    for interface in reference.INTERFACES:
        told = Client().get(f"/dev/openapi/{interface}.json")
        assert told["Content-Type"] == "application/json"
        assert told.json()["openapi"].startswith("3.1")
    for path in ("/dev/openapi/refusals.json", "/dev/gateway/nothing", "/dev/nothing/use", "/dev/openapi/x.json"):
        assert Client().get(path).status_code == 404, path


def test_the_example_of_a_signature_is_one() -> None:
    worked = signature.worked()
    method, path, time, journal, sequence, digest = worked.text.split("\n")
    assert digest == requests.HMAC_SHA256.digest(worked.body.encode())
    key = bytes.fromhex(worked.key)
    assert requests.verify(key, worked.signature, method, path, int(time), journal, int(sequence), worked.body.encode())


def test_colouring_keeps_every_character() -> None:
    texts: list[Any] = ['{"a": "b\\"<c>", "名": "通过"}', "POST /x HTTP/1.1\nA: b", json.dumps({"<": [1, None]})]
    for text in texts:
        made = colours.coloured(text)
        assert "<c>" not in made
        assert html.unescape(made.striptags()).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert '<span class="s" lang="zh-CN">' in colours.coloured(texts[0])
