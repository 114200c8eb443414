"""Rewrite the sections of docs/ that are taken from the code: ``python tools/docs.py``; with ``--check``, only compare.

A generated section lies between ``<!-- generated: NAME -->`` and ``<!-- end -->``. A test compares them, so that no
table in a page goes stale.
"""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
sys.path[:0] = [str(SOURCE), str(ROOT)]

import msgspec  # noqa: E402
from tools import item_keys, item_pages, references  # noqa: E402
from tools import problems as problems_of  # noqa: E402
from tools.problems import words_of  # noqa: E402

from onecard import cli  # noqa: E402
from onecard.check import running as check  # noqa: E402
from onecard.kernel.audit import risk_files  # noqa: E402
from onecard.kernel.messages.kinds import KINDS  # noqa: E402
from onecard.kernel.sharing.scopes import SCOPE_OF, SCOPES  # noqa: E402
from onecard_kit.classes import CLASSES  # noqa: E402
from onecard_kit.offline import OFFLINE_WORDS, unchecked  # noqa: E402
from onecard_kit.verdicts import WORDS, Verdict  # noqa: E402

SECTION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
ROLES = ("public", "staff", "gateway", "api", "worker")
# Where an answer of the gateway that is no verdict can come from.
PROBLEM_FILES = (
    *sorted((SOURCE / "onecard/gateway").glob("*.py")),
    SOURCE / "onecard/kernel/uses/refunds.py",
    SOURCE / "onecard/foundation/keys.py",
    SOURCE / "onecard/foundation/crypto.py",
)


# The same of the department API.
API_PROBLEM_FILES = (
    *sorted((SOURCE / "onecard/api").glob("*.py")),
    SOURCE / "onecard/kernel/catalogue/queries.py",
    SOURCE / "onecard/kernel/uses/refunds.py",
    SOURCE / "onecard/kernel/uses/disclosures.py",
    *sorted((SOURCE / "onecard/kernel/sharing").glob("[cdtw]*.py")),
    SOURCE / "onecard/kernel/sharing/endpoint_requests.py",
    SOURCE / "onecard/foundation/web/errors.py",
    SOURCE / "onecard/foundation/web/bridge.py",
)


# Where the integrators' pages find what they are made from.
REFERENCES = SOURCE / "onecard/developers/data"
REFUSED = {"gateway": PROBLEM_FILES, "department": API_PROBLEM_FILES}


def table(head: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> str:
    """A Markdown table."""
    rows = [head, tuple("---" for _ in head), *lines]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def verdicts() -> str:
    """Every verdict in order of precedence, in both languages."""
    told = ((verdict.value, WORDS[verdict]) for verdict in Verdict)
    return table(
        ("verdict", "中文", "English", "next step"),
        ((f"`{code}`", words.zh, words.en, f"{words.next_zh} {words.next_en}".strip()) for code, words in told),
    )


def offline_refusals() -> str:
    """Why a gate without a line must not decide, in order of precedence."""
    return table(
        ("refusal", "中文", "English"),
        ((f"`{refusal.value}`", words.zh, words.en) for refusal, words in OFFLINE_WORDS.items()),
    )


def offline_items() -> str:
    """The items that a gate without a line serves, and what it cannot check of them."""
    served = [item for item in item_pages.items() if item.offline is not None]
    told = ("; ".join(f"{each.zh} / {each.en}" for each in unchecked(item)) for item in served)
    named = (f"`{item.code}` {item.name.zh} / {item.name.en}" for item in served)
    return table(("item", "not checked offline"), zip(named, told, strict=True))


def item_tables() -> str:
    """Every key of every table of an item file."""
    sections = item_keys.sections()
    return "\n".join(f"### {name}\n\n{said}\n\n{table(item_keys.HEAD, iter(rows))}" for name, said, rows in sections)


def account_roles() -> str:
    """Every account that an item file may name."""
    return table(("account", "中文", "meaning", "kind of value", "may stand at"), item_keys.roles())


def classes() -> str:
    """Every class of holders with the number that a code carries."""
    return table(("class", "number", "中文", "English"), ((f"`{c.code}`", str(c.number), c.zh, c.en) for c in CLASSES))


def problems() -> str:
    """Every error code that the gateway can answer with, its status and words."""
    return _problems_of(PROBLEM_FILES)


def api_problems() -> str:
    """Every error code that the department API can answer with, its status and words."""
    return _problems_of(API_PROBLEM_FILES)


def scopes() -> str:
    """Every scope, with how many requests a minute its agreements bear unless they say so."""
    lines = ((f"`{scope}`", said.zh, said.en, str(said.per_minute)) for scope, said in SCOPES.items())
    return table(("scope", "中文", "English", "a minute"), lines)


def kinds() -> str:
    """Every kind of message, with the scope that it takes."""
    lines = ((f"`{kind}`", said.zh, said.en, f"`{SCOPE_OF[kind]}`") for kind, said in KINDS.items())
    return table(("kind", "中文", "English", "scope"), lines)


def _problems_of(paths: tuple[Path, ...]) -> str:
    return table(
        ("status", "code", "中文", "English"),
        ((str(each.status), f"`{each.code}`", each.zh, each.en) for each in problems_of.by_code(paths)),
    )


def commands() -> str:
    """Every command of the launcher with its arguments."""
    return table(
        ("command", "arguments", "中文", "English"),
        ((f"`./onecard {c.words}`", "<br>".join(_argument(a) for a in c.arguments), c.zh, c.en) for c in cli.COMMANDS),
    )


def _argument(argument: cli.Argument) -> str:
    name, options = argument.names[0], argument.options
    takes = "" if not name.startswith("-") or options.get("action") == "store_true" else " …"
    optional = (name.startswith("-") and not options.get("required")) or options.get("nargs") == "?"
    default = f", default {options['default']}" if options.get("default") is not None else ""
    named = f"{name}{takes}" if name.startswith("-") else name.upper()
    shown = f"`[{name}{takes}]`" if optional else f"`{named}`"
    return f"{shown} {options.get('help', '')}{default}".strip()


def checks() -> str:
    """Every finding of ``onecard check``, in its order: those that are one statement first."""
    lines = [(f"`{each.code}`", each.zh, each.en) for each in check.FIGURES]
    for node in ast.walk(ast.parse(Path(check.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding":
            code, zh, en = node.args[:3]
            lines += [(f"`{code.value!s}`", words_of(zh), words_of(en))] if isinstance(code, ast.Constant) else []
    return table(("finding", "中文", "what must hold"), iter(lines))


def grants() -> str:
    """What each serving role may do, from the golden table."""
    golden = tomllib.loads((SOURCE / "onecard/settings/grants.toml").read_text(encoding="utf-8"))
    prefixes = {"table_prefix": "table", "sequence_prefix": "sequence", "function_prefix": "function"}
    lines: list[tuple[str, dict[str, object]]] = []
    for name, row in golden.items():
        if name in prefixes or name in prefixes.values():
            star = "…" if name in prefixes else ""
            lines += [(f"{prefixes.get(name, name)} `{each}{star}`", _flat(rights)) for each, rights in row.items()]
        else:
            lines.append((f"`{name}`", row))
    return table(("", *ROLES), ((name, *(_rights(row.get(role)) for role in ROLES)) for name, row in lines))


def _flat(rights: dict[str, list[str]]) -> dict[str, object]:
    if not ("usage" in rights or "execute" in rights):
        return dict(rights)
    return {role: privilege for privilege, roles in rights.items() for role in roles}


def _rights(rights: object) -> str:
    if isinstance(rights, str):
        return rights.lower()
    if not isinstance(rights, dict):
        return ""
    return "<br>".join(
        privilege.lower() if columns is True else f"{privilege.lower()} of {', '.join(columns)}"
        for privilege, columns in rights.items()
    )


def risk_kinds() -> str:
    """Every kind of risk that ships, from its file."""
    kinds = risk_files.read(SOURCE / "onecard/scenarios")
    return table(
        ("kind", "severity", "中文", "English", "raised"),
        ((f"`{k.kind}`", k.severity.value, k.name.zh, k.name.en, _raised_by(k.looks_at)) for k in kinds),
    )


def _raised_by(looks_at: risk_files.LooksAt | None) -> str:
    """What a kind looks at, as its file says it; nothing where it is raised at once."""
    if looks_at is None:
        return "at once"
    told = msgspec.to_builtins(looks_at.rule)
    usual = {f.name: f.default for f in msgspec.structs.fields(looks_at.rule)}
    return ", ".join(f"`{key} = {json.dumps(value)}`" for key, value in told.items() if value != usual[key])


SECTIONS: dict[str, Callable[[], str]] = {
    "verdicts": verdicts,
    "problems": problems,
    "api_problems": api_problems,
    "scopes": scopes,
    "kinds": kinds,
    "classes": classes,
    "offline_items": offline_items,
    "offline_refusals": offline_refusals,
    "item_tables": item_tables,
    "account_roles": account_roles,
    "checks": checks,
    "commands": commands,
    "grants": grants,
    "risk_kinds": risk_kinds,
}


def rewritten(text: str) -> str:
    """A page with its generated sections as the code has them now."""
    return SECTION.sub(lambda found: f"{found[1]}\n{SECTIONS[found[2]]()}\n{found[3]}", text)


def pages() -> list[Path]:
    """The pages that hold a generated section."""
    return [page for page in sorted((ROOT / "docs").rglob("*.md")) if SECTION.search(page.read_text(encoding="utf-8"))]


def main(argv: list[str]) -> int:
    """Rewrite, or with ``--check`` name the stale pages and return 1."""
    found = {page: page.read_text(encoding="utf-8") for page in pages()}
    stale = {page: rewritten(text) for page, text in found.items() if rewritten(text) != text}
    for page, text in stale.items():
        print(page.relative_to(ROOT))
        if "--check" not in argv:
            page.write_text(text, encoding="utf-8")
    stale_files = item_pages.write(ROOT / "docs/items", check="--check" in argv)
    stale_files += references.write(REFERENCES, REFUSED, check="--check" in argv)
    for page in stale_files:
        print(page.relative_to(ROOT))
    return 1 if (stale or stale_files) and "--check" in argv else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
