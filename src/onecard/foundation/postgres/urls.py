"""Addresses of databases: ``postgresql://role:password@host:port/name`` or with ``?host=/socket/folder``.

Every part is percent-encoded, so that a socket folder, a password or a database name may hold any character. libpq,
psycopg, asyncpg and pgbench all read the form written here.
"""

import os
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from onecard.foundation.errors import BadInput

ENVIRONMENT = "ONECARD_DATABASE_URL"


@dataclass(frozen=True)
class Address:
    """Where and who. A `host` that begins with ``/`` is a socket folder; `port` 0 the default."""

    role: str
    password: str = field(repr=False)
    host: str
    port: int
    name: str
    options: tuple[tuple[str, str], ...] = ()

    def url(self) -> str:
        """The address as text; it holds the password, so it belongs in no log."""
        who = quote(self.role, safe="") + (":" + quote(self.password, safe="") if self.password else "")
        options = list(self.options)
        place = ""
        if self.host.startswith("/"):
            options.insert(0, ("host", self.host))
            if self.port:
                options.insert(1, ("port", str(self.port)))
        elif self.host:
            host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
            place = host + (f":{self.port}" if self.port else "")
        query = "?" + urlencode(options, quote_via=quote) if options else ""
        return f"postgresql://{who}@{place}/{quote(self.name, safe='')}{query}"


def parse(url: str) -> Address:
    """Read an address. Raises BadInput ``DATABASE_URL_MALFORMED`` and does not repeat the text."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        port = int(options.pop("port", 0) or parts.port or 0)
    except ValueError as error:
        raise _malformed() from error
    if parts.scheme not in ("postgresql", "postgres"):
        raise _malformed()
    return Address(
        role=options.pop("user", "") or unquote(parts.username or ""),
        password=options.pop("password", "") or unquote(parts.password or ""),
        host=options.pop("host", "") or unquote(parts.hostname or ""),
        port=port,
        name=options.pop("dbname", "") or unquote(parts.path.lstrip("/")),
        options=tuple(options.items()),
    )


def _malformed() -> BadInput:
    return BadInput(
        "DATABASE_URL_MALFORMED",
        f"环境变量 {ENVIRONMENT} 不是有效的数据库地址。",
        f"{ENVIRONMENT} is not a database address.",
        next_zh="请写成 postgresql://角色:口令@主机:端口/数据库名。",
        next_en="Write it as postgresql://role:password@host:port/name.",
    )


def with_name(url: str, name: str) -> str:
    """The same server and role, another database."""
    return replace(parse(url), name=name).url()


def with_role(url: str, role: str, password: str) -> str:
    """The same database, another role."""
    return replace(parse(url), role=role, password=password).url()


def of_environment() -> str:
    """The address in ``ONECARD_DATABASE_URL``. Raises BadInput ``DATABASE_URL_MISSING``."""
    url = os.environ.get(ENVIRONMENT, "")
    if not url:
        raise BadInput(
            "DATABASE_URL_MISSING",
            f"未设置环境变量 {ENVIRONMENT}。",
            f"{ENVIRONMENT} is not set.",
            next_zh="请设置它，或运行 ./onecard demo 使用内置数据库。",
            next_en="Set it, or run ./onecard demo, which brings its own database.",
        )
    return url
