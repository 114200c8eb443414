"""How an operation is declared: method and path, its scope, its answer, and the refusals that are its own."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, get_args, get_type_hints

from django.http import HttpRequest
from ninja import NinjaAPI, Router, Schema
from ninja.openapi.schema import OpenAPISchema
from ninja.renderers import JSONRenderer
from pydantic import Field

from onecard.api import errors, problems
from onecard.api.access import OAuth2
from onecard.kernel.sharing.scopes import Scope

View = TypeVar("View", bound=Callable[..., Any])

# What any operation may be refused with, besides its own.
ALWAYS = (400, 401, 403, 413, 429, 500, 503)
TRACED = {name: {"$ref": f"#/components/headers/{name}"} for name in problems.HEADERS}


class Words(Schema):
    """A sentence in both languages."""

    zh: str
    en: str


class Detail(Schema):
    """What happened and what to do next, in both languages."""

    zh: str
    en: str
    next_zh: str
    next_en: str


class Problem(Schema):
    """A refusal (RFC 9457). Decide by `code`, which is stable; show `detail`; name `trace` when asking for help."""

    type: str
    status: int
    code: str = Field(examples=["REQUEST_MALFORMED"])
    title: str
    detail: Detail
    trace: str


def operation(
    router: Router, method: str, path: str, scope: Scope, answer: Any, *refusals: int, status: int = 200, **more: Any
) -> Callable[[View], View]:
    """Serve a view at a path to callers with a scope. Its docstring is what the reference says of it."""

    def declared(view: View) -> View:
        known = _parameters(view)

        @wraps(view)
        def guarded(request: HttpRequest, **values: Any) -> Any:
            for name, given in request.GET.lists():
                if name not in known or len(given) > 1:
                    raise errors.malformed(f"query.{name if name in known else '?'}: not expected here")
            return view(request, **values)

        router.api_operation([method], path, auth=OAuth2(scope, view.__name__), response=responses, **more)(guarded)
        return view

    bodied = (415,) if method == "POST" else ()
    responses = {status: answer, **dict.fromkeys(sorted({*ALWAYS, *bodied, *refusals}), Problem)}
    return declared


def _parameters(view: Callable[..., Any]) -> frozenset[str]:
    """The names of the query's parameters that a view takes: the framework reads what it knows and ignores the rest."""
    taken = (get_args(hint)[0] for hint in get_type_hints(view, include_extras=True).values() if get_args(hint))
    return frozenset(name for model in taken if _is_model(model) for name in model.model_fields)


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Schema)


class Plain(JSONRenderer):
    """JSON in UTF-8, with Chinese as Chinese."""

    json_dumps_params = {"ensure_ascii": False}


class DepartmentAPI(NinjaAPI):
    """The document says what the framework's own leaves out: which scope each operation takes, and that a refusal is
    application/problem+json.
    """

    def get_openapi_schema(self, **where: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**where)
        document["components"].setdefault("securitySchemes", {})["ClientCredential"] = {
            "type": "http",
            "scheme": "basic",
        }
        document["components"]["headers"] = problems.HEADERS
        scopes = self._scopes()
        for path in document["paths"].values():
            for details in path.values():
                if details["operationId"] in scopes:
                    details["security"] = [{OAuth2.__name__: [scopes[details["operationId"]]]}]
                for parameter in details["parameters"]:
                    _say_once(parameter)
                for answer in details["responses"].values():
                    _say_problem(answer)
                    answer["headers"] = TRACED
        return document

    def get_openapi_operation_id(self, operation: Any) -> str:
        name: str = operation.view_func.__name__
        return name

    def _scopes(self) -> dict[str, str]:
        return {
            operation.operation_id or self.get_openapi_operation_id(operation): callback.scope.value
            for router in self._get_bound_routers()
            for view in router.path_operations.values()
            for operation in view.operations
            for callback in operation.auth_callbacks
            if isinstance(callback, OAuth2)
        }


def _say_once(parameter: dict[str, Any]) -> None:
    """A parameter that may be left out is not null."""
    kinds = [kind for kind in parameter["schema"].pop("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        parameter["schema"].update(kinds[0])
    elif kinds:
        parameter["schema"]["anyOf"] = kinds


def _say_problem(answer: dict[str, Any]) -> None:
    content = answer.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith("/Problem") or schema.get("title") == "Problem":
        answer["content"] = {problems.KIND: {"schema": {"$ref": "#/components/schemas/Problem"}}}
