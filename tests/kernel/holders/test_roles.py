"""What each role may do with people's data: the database itself says no."""

import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

TABLES = ("holders_holder", "holders_certificate", "holders_class", "holders_correction")


@pytest.mark.parametrize("table", TABLES)
def test_the_gateway_reads_no_personal_data(urls: dict[str, str], table: str) -> None:
    with psycopg.connect(urls["gateway"]) as gateway, pytest.raises(errors.InsufficientPrivilege):
        gateway.execute(f"SELECT 1 FROM {table}")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_residents_web_only_reads(urls: dict[str, str], table: str, statement: str) -> None:
    with psycopg.connect(urls["public"]) as public:
        public.execute(f"SELECT * FROM {table}")
        with pytest.raises(errors.InsufficientPrivilege):
            public.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM holders_holder",
        "DELETE FROM holders_certificate",
        "DELETE FROM holders_correction",
        "UPDATE holders_correction SET reason = ''",
    ],
)
def test_the_officers_web_unmakes_no_history(urls: dict[str, str], statement: str) -> None:
    with psycopg.connect(urls["staff"]) as staff, pytest.raises(errors.InsufficientPrivilege):
        staff.execute(statement)


@pytest.mark.parametrize("role", ["staff", "worker"])
@pytest.mark.parametrize("table", ["holders_holder", "holders_certificate", "holders_correction"])
def test_who_writes_sealed_rows_may_draw_their_ids(urls: dict[str, str], role: str, table: str) -> None:
    with psycopg.connect(urls[role]) as writer:
        assert writer.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table]).fetchone()


VERBS = """
import datetime as dt
import django
django.setup()
from onecard.foundation.actors import Actor
from onecard.kernel.holders import actions, queries
from onecard.demo.people import people

clerk, today = Actor("staff:7", frozenset({"*"})), dt.date(2026, 11, 20)
person = next(people(1, 1, today))
holder = actions.register(clerk, actions.Application("320600", person.number, person.name), demo=True)
actions.correct(clerk, holder.pk, "address", "虚构路1号", "搬家", version=1)
certificate = actions.grant_certificate(clerk, holder.pk, "teacher", "教育局", today)
actions.withdraw_certificate(clerk, certificate.pk, "撤销")
queries.reveal(clerk, holder.pk, ["name"], "核对证件")
actions.mark_deceased(clerk, holder.pk, "死亡证明")
print(queries.by_number(clerk, person.number).life)
"""


def test_the_officers_role_suffices_for_every_verb(
    fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> None:
    environment = {**environment_for(fresh_database["staff"]), "DJANGO_SETTINGS_MODULE": "onecard.settings.staff"}
    done = subprocess.run(
        [sys.executable, "-c", VERBS], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("deceased", 0), done.stderr
