"""`./onecard bench ledger`: transfers a second through `ledger_post`, against pgbench's own tpcb-like transaction.

    ledger.single     one transfer a call between two purses of 100,000, 16 clients
    ledger.spread100  100 transfers a call between purses drawn at random, 2 clients
    ledger.hot1000    1,000 transfers a call from purses drawn at random to one operator, 2 clients

tpcb-like changes three balances and adds a row; a transfer between purses changes two, adds a row and decides limits,
idempotence and the kinds of value besides. Every purse starts with the same sum; afterwards the sums must be unchanged.
Run as the gateway's role, with full durability. The arrays of a call are built by the calling statement.
"""

import os
import secrets
import sys

import psycopg

from bench.harness import Figure, Sample, a_cluster, initialise_tpcb, interleave, pgbench, report, server_version
from onecard.foundation.postgres import grants, roles, urls
from onecard.foundation.postgres.embedded import EmbeddedPostgres

PURSES = 100_000
PURSE_FEN = 1_000_000_000
# Many short rounds: what else the machine does falls on both sides of most of them.
ROUNDS = 9
SECONDS = 3
TPCB_SCALE = 20
CLIENTS = 16

SINGLE = f"""
\\set debit random(1, {PURSES})
\\set credit 1 + (:debit + random(0, {PURSES - 2})) % {PURSES}
SELECT * FROM ledger_post(ARRAY[uuidv7()], ARRAY[:debit::bigint], ARRAY[:credit::bigint], ARRAY[1::bigint],
    '{{posted}}', '{{paid}}', '{{NULL}}', '{{NULL}}', '{{NULL}}');
"""

BATCH = """
SELECT l.* FROM (
    SELECT array_agg(uuidv7()) AS ids, array_agg(debit) AS debits, array_agg({credit}) AS credits
    FROM (SELECT 1 + floor(random() * {purses})::bigint AS debit FROM generate_series(1, {size})) drawn
) t, LATERAL ledger_post(t.ids, t.debits, t.credits, array_fill(1::bigint, ARRAY[{size}]),
    array_fill('posted'::text, ARRAY[{size}]), array_fill('paid'::text, ARRAY[{size}]),
    array_fill(NULL::uuid, ARRAY[{size}]), array_fill(NULL::timestamptz, ARRAY[{size}]),
    array_fill(NULL::uuid, ARRAY[{size}])) l;
"""


def prepare(admin_url: str) -> dict[str, str]:
    """A migrated city with its purses filled; role → URL."""
    passwords = {role: secrets.token_urlsafe(12) for role in roles.ROLES}
    addresses = roles.ensure_database(admin_url, "bench", passwords)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.owner")
    os.environ.setdefault("ONECARD_SECRET_KEY", secrets.token_hex(32))
    os.environ[urls.ENVIRONMENT] = addresses["owner"]
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    with psycopg.connect(addresses["owner"], autocommit=True) as owner:
        with owner.transaction():
            grants.apply_grants(owner)
        _fill(owner)
        owner.execute("VACUUM ANALYZE")
    return addresses


def _fill(owner: psycopg.Connection[tuple[object, ...]]) -> None:
    """Purses have the ids 1 to PURSES; the operator follows, then the account they were filled from."""
    owner.execute(
        "SELECT count(*) FROM ledger_open(ARRAY(SELECT 'holder:' || n FROM generate_series(1, %s::int) n),"
        " 'holder.purse', 'purse', true, NULL)",
        [PURSES],
    )
    for party, role in ((1, "operator.receivable"), (2, "bank.clearing")):
        owner.execute("SELECT ledger_open(ARRAY['party:' || %s], %s, 'purse', false, NULL)", [str(party), role])
    refused = owner.execute(
        "SELECT l.* FROM (SELECT array_agg(uuidv7()) AS ids, array_agg(n) AS purses"
        " FROM generate_series(1::bigint, %(count)s) n) t, LATERAL ledger_post(t.ids,"
        " array_fill((%(count)s + 2)::bigint, ARRAY[%(count)s::int]), t.purses,"
        " array_fill(%(fen)s::bigint, ARRAY[%(count)s::int]),"
        " array_fill('posted'::text, ARRAY[%(count)s::int]), array_fill('opening'::text, ARRAY[%(count)s::int]),"
        " array_fill(NULL::uuid, ARRAY[%(count)s::int]), array_fill(NULL::timestamptz, ARRAY[%(count)s::int]),"
        " array_fill(NULL::uuid, ARRAY[%(count)s::int])) l",
        {"count": PURSES, "fen": PURSE_FEN},
    ).fetchall()
    if refused:
        raise RuntimeError(f"the purses could not be filled: {refused[0]}")


def measure(rounds: int = ROUNDS, seconds: int = SECONDS) -> list[Figure]:
    """The three figures, each in turns with the limit."""
    with a_cluster() as (admin_url, cluster):
        initialise_tpcb(cluster, admin_url, TPCB_SCALE)
        addresses = prepare(admin_url)
        figures = _figures(cluster, admin_url, addresses["gateway"], rounds, seconds)
        _conserved(addresses["owner"])
    return figures


def _figures(cluster: EmbeddedPostgres, admin_url: str, url: str, rounds: int, seconds: int) -> list[Figure]:
    def tpcb() -> Sample:
        return pgbench(cluster, admin_url, None, clients=CLIENTS, seconds=seconds)

    def figure(name: str, script: str, clients: int, size: int) -> Figure:
        def ours() -> Sample:
            return pgbench(cluster, url, script, clients=clients, seconds=seconds, per_run=size)

        return interleave(name, ours, tpcb, rounds, clients=clients, transfers_a_call=size, **conditions)

    spread = BATCH.format(credit=f"1 + (debit + 7919) % {PURSES}", purses=PURSES, size=100)
    hot = BATCH.format(credit=f"{PURSES + 1}::bigint", purses=PURSES, size=1_000)
    limit = f"pgbench tpcb-like, scale {TPCB_SCALE}, {CLIENTS} clients, one statement at a time"
    conditions: dict[str, object] = {"postgresql": server_version(admin_url), "purses": PURSES, "limit_is": limit}
    return [
        figure("ledger.single", SINGLE, CLIENTS, 1),
        figure("ledger.spread100", spread, 2, 100),
        figure("ledger.hot1000", hot, 2, 1_000),
    ]


def _conserved(owner_url: str) -> None:
    """Nothing was made or lost by all of it, and every call made what it was asked to."""
    with psycopg.connect(owner_url) as owner:
        row = owner.execute(
            "SELECT sum(free_fen) + (SELECT coalesce(sum(amount_fen), 0) FROM ledger_transfer"
            " WHERE credit_account = %s), min(free_fen) FROM ledger_balance",
            [PURSES + 1],
        ).fetchone()
    if row is None or row[0] != PURSES * PURSE_FEN or row[1] < 0:
        raise RuntimeError(f"money was made or lost: {row}")


def main(arguments: list[str]) -> int:
    """Print the figures; `--json` for machines."""
    report(measure(), "--json" in arguments)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
