"""`onecard clients …`: agreements and credentials of clients."""

import argparse
import datetime as dt

from onecard.foundation.terminal import say, speaks_chinese
from onecard.kernel.catalogue.models import Client
from onecard.kernel.messages import queries as messages
from onecard.kernel.messages import signing
from onecard.kernel.sharing import actions, endpoints, queries
from onecard.kernel.sharing.models import EndpointRequest
from onecard.kernel.sharing.scopes import SCOPES, Scope
from onecard.kernel.staff.command import acting


def show(arguments: argparse.Namespace) -> int:
    """Every client, or what is agreed with one and its credentials."""
    if arguments.client is None:
        for client in Client.objects.order_by("code"):
            print(f"{client.code:16} {client.state:10} {client.name_zh if speaks_chinese() else client.name_en}")
        return 0
    for agreed in queries.agreements_of(arguments.client):
        said = SCOPES[Scope(agreed.scope)]
        days = f"{agreed.starts_on} – {agreed.ends_on}"
        print(f"{agreed.scope:20} {days}  {agreed.per_minute:5}/min  {said.zh if speaks_chinese() else said.en}")
    for credential in queries.open_credentials(arguments.client):
        print(f"{credential.client_id:20} {credential.valid_to or ''}")
    for endpoint in messages.endpoints_of(f"client:{arguments.client}"):
        counts = f"waiting {endpoint.waiting}, dead {endpoint.dead}"  # type: ignore[attr-defined]  # counted beside it
        print(f"endpoint {endpoint.pk:<11} {endpoint.state:8} {endpoint.url}  {' '.join(endpoint.kinds)}  ({counts})")
    return 0


def agree(arguments: argparse.Namespace) -> int:
    """Agree on scopes with a client."""
    actor, (zh, en) = acting(arguments), arguments.purpose
    for scope in arguments.scopes:
        actions.agree(
            actor, arguments.client, scope, purpose_zh=zh, purpose_en=en, basis=arguments.basis,
            ends_on=arguments.until, per_minute=arguments.per_minute,
        )  # fmt: skip
    say("已签订", "Agreed")
    return 0


def end_agreement(arguments: argparse.Namespace) -> int:
    """End what is agreed about a scope."""
    actions.end_agreement(acting(arguments), arguments.client, arguments.scope, arguments.reason)
    say("已终止", "Ended")
    return 0


def give_credential(arguments: argparse.Namespace) -> int:
    """Print a new credential; its secret is shown here and never again."""
    return _shown(actions.give_credential(acting(arguments), arguments.client))


def rotate_credential(arguments: argparse.Namespace) -> int:
    """Print a new credential; those before it stay good for some days."""
    overlap = dt.timedelta(days=arguments.overlap_days)
    return _shown(actions.rotate_credential(acting(arguments), arguments.client, overlap))


def withdraw_credential(arguments: argparse.Namespace) -> int:
    """Withdraw a credential at once."""
    actions.withdraw_credential(acting(arguments), arguments.credential, arguments.reason)
    say("已注销", "Withdrawn")
    return 0


def add_endpoint(arguments: argparse.Namespace) -> int:
    """File an endpoint and print the key that signs what is sent there."""
    endpoint, key = endpoints.add(acting(arguments), arguments.client, arguments.url, arguments.kinds)
    print(f"endpoint={endpoint.pk}\nkey_id={signing.key_id(endpoint.pk, endpoint.key_number)}\nkey={key.hex()}")
    return 0


def show_endpoint_requests(arguments: argparse.Namespace) -> int:
    """What clients ask for and nobody has looked at yet, the oldest first."""
    waiting = EndpointRequest.objects.filter(state="waiting").select_related("client").order_by("id")
    for each in waiting:
        print(f"{each.pk:<8} {each.client.code:16} {each.url}  {' '.join(each.kinds)}")
    return 0


def accept_endpoint(arguments: argparse.Namespace) -> int:
    """File the endpoint that a client asked for; the client fetches its key itself."""
    endpoint = endpoints.accept(acting(arguments), arguments.request)
    print(f"endpoint={endpoint.pk}")
    return 0


def decline_endpoint(arguments: argparse.Namespace) -> int:
    """Decline an endpoint that a client asked for."""
    endpoints.decline(acting(arguments), arguments.request, arguments.reason)
    say("已答复不予登记", "Declined")
    return 0


def end_endpoint(arguments: argparse.Namespace) -> int:
    """Send nothing to an endpoint any more."""
    endpoints.end(acting(arguments), arguments.endpoint, arguments.reason)
    say("已停用", "Ended")
    return 0


def _shown(given: tuple[str, str]) -> int:
    client_id, secret = given
    print(f"client_id={client_id}\nclient_secret={secret}")
    say("密钥只显示这一次，请妥善保存。", "The secret is shown this once; keep it safe.")
    return 0
