"""The commands that prepare a database: roles, tables, grants, keys."""

import argparse
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from onecard.foundation import keys
from onecard.foundation.postgres import grants, roles, urls
from onecard.foundation.terminal import say


def secret_file(path: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What a JSON file of mode 600 holds; made by `make` if there is none."""
    if not path.exists():
        partial = path.with_suffix(".new")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(make(), file, indent=1)
        partial.replace(path)
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def fresh_passwords() -> dict[str, str]:
    """A password for each role."""
    return {role: secrets.token_urlsafe(24) for role in roles.ROLES}


def run_roles(arguments: argparse.Namespace) -> int:
    """``onecard db roles``: make them where ONECARD_DATABASE_URL names an administrator, or print the SQL.

    The addresses, with their new passwords, go to ``--out`` (mode 600) or to the terminal. Passwords in an existing
    ``--out`` are kept, so that running it again disturbs nobody.
    """
    if arguments.print:
        print(roles.script(arguments.name), end="")
        return 0
    made = roles.ensure_database(urls.of_environment(), arguments.name, _passwords(arguments.out))
    if arguments.out:
        secret_file(arguments.out, lambda: made)
        say(f"地址已写入 {arguments.out}", f"The addresses are in {arguments.out}")
    else:
        print(json.dumps(made, indent=1))
    return 0


def _passwords(out: Path | None) -> dict[str, str]:
    if out is None or not out.exists():
        return fresh_passwords()
    known = {role: urls.parse(url).password for role, url in json.loads(out.read_text(encoding="utf-8")).items()}
    return {**fresh_passwords(), **known}


def run_migrate(arguments: argparse.Namespace) -> int:
    """``onecard db migrate``: tables, then grants, as the owner that ONECARD_DATABASE_URL names. Twice does nothing."""
    from django.core.management import call_command

    url = urls.of_environment()
    say("建立或升级数据表", "Making or upgrading the tables")
    call_command("migrate", verbosity=0, interactive=False)
    with roles.connect(url) as owner:
        changed = grants.apply_grants(owner, suffix=suffix_of(urls.parse(url).role))
    if changed:
        say(
            f"权限已调整：新增 {len(changed.missing)}，收回 {len(changed.extra)}",
            f"Grants adjusted: {len(changed.missing)} given, {len(changed.extra)} taken back",
        )
    return 0


def suffix_of(owner: str) -> str:
    """``onecard_owner_test`` → ``_test``; an owner of another name has none."""
    name = roles.role_name(roles.OWNER)
    return owner.removeprefix(name) if owner.startswith(name) else ""


def run_keys(arguments: argparse.Namespace) -> int:
    """``onecard keys create FOLDER``: the missing key files; existing ones are left alone."""
    for path in keys.create(arguments.folder):
        print(path)
    return 0
