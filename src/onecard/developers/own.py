"""Pages of a client's own matters: its calls, its credentials, its messages. What they show and do, the department API
answers and judges.
"""

import datetime as dt
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from allauth.core.ratelimit import consume
from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from onecard.developers import department, reference
from onecard.developers.access import anyone, client_only
from onecard.developers.department import Pass, Told
from onecard.developers.forms import Credentialed, Sent, Sought, TurnedOver, WantedEndpoint, Withdrawn
from onecard.developers.views import page
from onecard.foundation.web.jinja import words

PAGE = "50"


@anyone
@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Exchange a credential for ten minutes at these pages."""
    if not department.is_there():
        raise Http404
    form = Credentialed(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return page(request, "dev_sign_in.html", "sign_in", form=form)
    given = _signed_in(request, form) if form.is_valid() else None
    if given is None:
        response = page(request, "dev_sign_in.html", "sign_in", form=form)
        response.status_code = 422
        return response
    response = redirect("dev_calls")
    token, lasts_s = given
    who = Pass(form.cleaned_data["client_id"], token)
    department.remember(response, who, lasts_s, secure=settings.SESSION_COOKIE_SECURE)
    return response


def _signed_in(request: HttpRequest, form: Credentialed) -> tuple[str, int] | None:
    if not consume(request, action="client_sign_in"):
        form.add_error(None, _("尝试次数过多，请稍后再试。"))
        return None
    given = department.sign_in(form.cleaned_data["client_id"], form.cleaned_data["client_secret"])
    if given is None:
        form.add_error(None, _("凭据无效或已停用，或者协议中没有这些页面所需的授权项。"))
    return given


@anyone
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Throw the pass away."""
    response = redirect("dev_home")
    department.forget(response)
    return response


@client_only
@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """The client's calls, the newest first; one by its trace; those with a status."""
    form = Sought(request.GET)
    told = _sought(request, form) if form.is_valid() else None
    found = told.value if told and not told.problem else {"calls": []}
    rows, following = found.get("calls", [found]), found.get("next") or ""
    return page(
        request, "dev_calls.html", "calls", form=form, told=told, rows=[_call(row) for row in rows],
        following=_with(request, after=following) if following else "", client=_who(request),
    )  # fmt: skip


def _sought(request: HttpRequest, form: Sought) -> Told:
    who, trace = _who(request), form.cleaned_data["trace"]
    if trace:
        return department.ask(who, f"/v1/calls/{trace}")
    status = form.cleaned_data["status"]
    after = request.GET.get("after", "")
    return department.ask(who, "/v1/calls", limit=PAGE, status=str(status or ""), after=after)


def _call(row: dict[str, Any]) -> dict[str, Any]:
    """A call with its moment, and the words of its operation."""
    return {
        **row,
        "at": dt.datetime.fromisoformat(row["at"]),
        "title": reference.title_of("department", row["operation"]),
    }


@client_only
@require_http_methods(["GET", "HEAD", "POST"])
def credentials(request: HttpRequest) -> HttpResponse:
    """The client's credentials; a further one, whose secret this answer shows and none after it."""
    if request.method != "POST":
        return _credentials(request, TurnedOver(initial={"key": uuid4()}))
    form = TurnedOver(request.POST)
    if not form.is_valid():
        return _credentials(request, form, status=422)
    until: dt.date | None = form.cleaned_data["older_until"]
    content = {"older_until": until.isoformat()} if until else {}
    made = department.write(_who(request), "/v1/credentials", content, str(form.cleaned_data["key"]))
    if made.problem:
        _add(form, made)
        return _credentials(request, form, status=422)
    return _credentials(request, TurnedOver(initial={"key": uuid4()}), made=made)


def _credentials(
    request: HttpRequest, form: TurnedOver, *, made: Told | None = None, status: int = 200
) -> HttpResponse:
    told = department.ask(_who(request), "/v1/credentials", limit=PAGE, after=request.GET.get("after", ""))
    rows = [] if told.problem else [_credential(row) for row in told.value["credentials"]]
    following = "" if told.problem else told.value["next"] or ""
    response = page(
        request, "dev_credentials.html", "credentials", form=form, made=made, told=told, rows=rows,
        client=_who(request), following=_with(request, after=following) if following else "",
    )  # fmt: skip
    response.status_code = status
    return response


def _credential(row: dict[str, Any]) -> dict[str, Any]:
    """A credential with its moments, and the form that withdraws it where it still stands."""
    at = {name: dt.datetime.fromisoformat(row[name]) if row[name] else None for name in ("given_at", "valid_to")}
    initial = {"client_id": row["client_id"], "key": uuid4()}
    form = None if row["state"] == "ended" else Withdrawn(initial=initial, auto_id=f"id_{row['client_id']}_%s")
    return {**row, **at, "form": form}


@client_only
@require_POST
def withdrawal(request: HttpRequest) -> HttpResponse:
    """Withdraw a credential of the client."""
    form = Withdrawn(request.POST)
    if not form.is_valid():
        messages.warning(request, _("没有注销：请填写原因。"))
        return redirect("dev_credentials")
    path = f"/v1/credentials/{quote(form.cleaned_data['client_id'], safe='')}/withdrawal"
    key = str(form.cleaned_data["key"])
    _say(request, department.write(_who(request), path, {"reason": form.cleaned_data["reason"]}, key), _("已注销。"))
    return redirect("dev_credentials")


@client_only
@require_http_methods(["GET", "HEAD", "POST"])
def endpoints(request: HttpRequest) -> HttpResponse:
    """Where the client takes messages; asking for one more."""
    if request.method != "POST":
        return _endpoints(request, WantedEndpoint(initial={"key": uuid4()}))
    form = WantedEndpoint(request.POST)
    if not form.is_valid():
        return _endpoints(request, form, status=422)
    content = {name: form.cleaned_data[name] for name in ("url", "kinds")}
    told = department.write(_who(request), "/v1/endpoint-requests", content, str(form.cleaned_data["key"]))
    if told.problem:
        _add(form, told)
        return _endpoints(request, form, status=422)
    messages.success(request, _("已提交，等待管理部门审核。"))
    return redirect("dev_endpoints")


def _endpoints(request: HttpRequest, form: WantedEndpoint, *, status: int = 200) -> HttpResponse:
    told = department.ask(_who(request), "/v1/endpoints")
    rows = [] if told.problem else [{**row, "key": uuid4()} for row in told.value["endpoints"]]
    asked = None if told.problem else department.ask(_who(request), "/v1/endpoint-requests", limit=PAGE)
    requests = [_request(row) for row in asked.value["requests"]] if asked and not asked.problem else []
    response = page(
        request, "dev_endpoints.html", "endpoints", told=told, rows=rows, form=form, requests=requests,
        client=_who(request),
    )  # fmt: skip
    response.status_code = status
    return response


def _request(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "made_at": dt.datetime.fromisoformat(row["made_at"])}


@client_only
@require_http_methods(["GET", "HEAD", "POST"])
def deliveries(request: HttpRequest, endpoint: int) -> HttpResponse:
    """What is or was on its way to an endpoint; a test, or one of them again."""
    base = f"/v1/endpoints/{endpoint}"
    if request.method == "POST":
        form = Sent(request.POST)
        if form.is_valid():
            which = form.cleaned_data["delivery"]
            path = f"{base}/deliveries/{which}/replay" if which else f"{base}/ping"
            key = str(form.cleaned_data["key"])
            _say(request, department.write(_who(request), path, {}, key), _("几秒内送出。"))
        return redirect("dev_deliveries", endpoint)
    state, after = request.GET.get("state", ""), request.GET.get("after", "")
    told = department.ask(_who(request), f"{base}/deliveries", limit=PAGE, state=state, after=after)
    rows = [] if told.problem else [_delivery(row) for row in told.value["deliveries"]]
    following = "" if told.problem else str(told.value["next"] or "")
    return page(
        request, "dev_deliveries.html", "endpoints", told=told, rows=rows, state=state, endpoint=endpoint, key=uuid4(),
        following=_with(request, after=following) if following else "", client=_who(request),
    )  # fmt: skip


def _delivery(row: dict[str, Any]) -> dict[str, Any]:
    tried = dt.datetime.fromisoformat(row["tried_at"]) if row["tried_at"] else None
    return {**row, "at": dt.datetime.fromisoformat(row["at"]), "tried_at": tried, "key": uuid4()}


def _who(request: HttpRequest) -> Pass:
    who: Pass = request.client  # type: ignore[attr-defined]
    return who


def _with(request: HttpRequest, **more: str) -> str:
    """This page's own address with some of its query changed."""
    kept = {name: value for name, value in request.GET.items() if value}
    return f"{request.path}?{urlencode({**kept, **more})}"


def _add(form: Form, told: Told) -> None:
    assert told.problem is not None
    form.add_error(None, _in_words(told.problem))


def _say(request: HttpRequest, told: Told, done: str) -> None:
    if told.problem is None:
        messages.success(request, done)
    else:
        messages.warning(request, _in_words(told.problem))


def _in_words(problem: dict[str, Any]) -> str:
    """What a refusal says, and what to do next."""
    detail = problem["detail"]
    return " ".join(filter(None, (words(detail), words({"zh": detail["next_zh"], "en": detail["next_en"]}))))
