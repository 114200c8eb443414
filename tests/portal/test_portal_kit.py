"""The gallery: it shows every component of the kit, and only where the node is a demo."""

import re
from pathlib import Path

import pytest
from django.test import Client, override_settings

pytestmark = pytest.mark.django_db
KIT = Path(__file__).resolve().parents[2] / "src/onecard/foundation/web/templates/kit.html"
# What a page cannot do without: they are on the gallery as on every page, or belong to one page alone.
ON_EVERY_PAGE = {"mark", "said", "language_switch", "button", "tabbar", "submit", "session", "passkey"}


def test_it_shows_every_component() -> None:
    with override_settings(ONECARD_DEMO=True):
        page = Client().get("/_kit").content.decode()
    macros = set(re.findall(r"{% macro (\w+)\(", KIT.read_text()))
    shown = set(re.findall(r'<h2 id="(\w+)">', page))
    assert macros - shown == ON_EVERY_PAGE
    assert shown <= macros


def test_a_node_in_service_has_none() -> None:
    with override_settings(ONECARD_DEMO=False):
        assert Client().get("/_kit").status_code == 404
