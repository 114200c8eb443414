"""The catalogue from a terminal: one command a step, and two people to publish."""

import argparse
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.foundation.web.faces import PASSWORD, an_officer, next_code_of
from tests.kernel.catalogue.builders import ENTRY, RIDE, a_folder, a_point, an_item, load, load_published

from onecard import cli
from onecard.foundation.errors import BadInput, Conflict, NotPermitted
from onecard.kernel.catalogue.models import ItemVersion, Offer, Point

pytestmark = pytest.mark.django_db
Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command as the command line would, past its database; gives what it printed."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    commands = {command.words: command for command in cli.COMMANDS}

    def one(words: str, *rest: object, password: str = PASSWORD, code: str | None = None) -> str:
        arguments: argparse.Namespace = cli._parser().parse_args([*words.split(), *(str(each) for each in rest)])
        officer = getattr(arguments, "officer", None)
        shown = code if code is not None or officer is None else next_code_of(officer)
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n{shown}\n"))
        capsys.readouterr()
        assert cli.function_of(commands[words])(arguments) == 0
        told = capsys.readouterr()
        return told.out + told.err

    return one


def test_loading_tells_the_difference_and_a_dry_run_leaves_it_at_that(tmp_path: Path, run: Run) -> None:
    load_published(tmp_path, RIDE)
    second = RIDE.replace("version = 1", "version = 2").replace("2026-01-01", "2099-01-01")
    folder = a_folder(tmp_path, second.replace("full_fen = 200", "full_fen = 300"), ENTRY)
    told = run("catalogue load", folder, "--dry-run")
    assert "transit.bus_ride@2: compared with transit.bus_ride@1" in told
    assert "~ price.full_fen: 200 -> 300" in told
    assert "culture.library_entry@1: a new item" in told
    assert "nothing was changed" in told
    assert ItemVersion.objects.count() == 1
    assert "2 new" in run("catalogue load", folder)
    assert "2 unchanged" in run("catalogue load", folder)
    assert ItemVersion.objects.filter(stage="draft").count() == 2
    assert "~ price.full_fen: 200 -> 300" in run("catalogue difference", "transit.bus_ride", 2)
    assert "price.full_fen" not in run("catalogue difference", "transit.bus_ride", 2, 2)


def test_loading_speaks_chinese_too(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    told = run("catalogue load", a_folder(tmp_path, ENTRY), "--dry-run")
    assert "culture.library_entry@1：新项目" in told
    assert "＋ name.en：Item library_entry" in told
    told = run("catalogue load", tmp_path, "--publish")
    assert "name.en" not in told
    assert "发布 1 个" in told
    assert "culture.library_entry\t1\t市级清单\t项目library_entry" in run("catalogue list")


def test_a_version_is_submitted_and_published_by_two_officers(tmp_path: Path, run: Run) -> None:
    load(tmp_path, RIDE)
    an_officer("editor", "catalogue_editor")
    an_officer("approver", "catalogue_approver")
    version = ("transit.bus_ride", 1)
    with pytest.raises(NotPermitted, match="SIGN_IN_WRONG"):
        run("catalogue submit", *version, "--officer", "editor", password="wrong")
    with pytest.raises(NotPermitted, match="SIGN_IN_WRONG"):
        run("catalogue submit", *version, "--officer", "editor", code="000000")
    run("catalogue submit", *version, "--officer", "editor")
    with pytest.raises(NotPermitted, match="NOT_PERMITTED"):
        run("catalogue publish", *version, "--officer", "editor")
    assert run("catalogue list") == "onecard  0 items.\n"
    run("catalogue send-back", *version, "the fare is wrong", "--officer", "approver")
    run("catalogue submit", *version, "--officer", "editor")
    decided = ("--decided", "专班", "The group", "2025-12-03")
    with pytest.raises(BadInput, match="DAY_MALFORMED"):
        run("catalogue publish", *version, *decided[:-1], "soon", "--officer", "approver")
    run("catalogue publish", *version, *decided, "--officer", "approver")
    assert "transit.bus_ride\t1\tCity list\tItem bus_ride" in run("catalogue list")
    assert "1\tpublished\t2026-01-01 –\tThe group\t2025-12-03" in run("catalogue history", "transit.bus_ride")
    run("catalogue end", *version, "2099-01-01", "closed", "--officer", "approver")
    assert "2026-01-01 – 2099-01-01" in run("catalogue history", "transit.bus_ride")


def test_a_password_alone_acts_for_nobody(tmp_path: Path, run: Run) -> None:
    load(tmp_path, RIDE)
    an_officer("editor", "catalogue_editor")
    submit = ("catalogue submit", "transit.bus_ride", 1, "--officer", "editor")
    with pytest.raises(NotPermitted, match="SECOND_FACTOR_MISSING"):
        run(*submit, code="")
    code = next_code_of("editor")
    run(*submit, code=code)
    with pytest.raises(NotPermitted, match="SIGN_IN_WRONG"):  # a code is good once
        run(*submit, code=code)
    assert ItemVersion.objects.get().submitted_by.startswith("staff:")


def test_whoever_has_the_command_line_and_one_sign_in_does_not_publish_alone(tmp_path: Path, run: Run) -> None:
    """Every way round: loading, submitting or publishing as the command line, and the rest as one officer."""
    version = ("transit.bus_ride", 1)
    an_officer("both", "catalogue_editor", "catalogue_approver")
    an_officer("other", "catalogue_approver")
    run("catalogue load", a_folder(tmp_path, RIDE))
    with pytest.raises(NotPermitted, match="OFFICER_NEEDED"):
        run("catalogue submit", *version)
    run("catalogue submit", *version, "--officer", "both")
    with pytest.raises(NotPermitted, match="OFFICER_NEEDED"):
        run("catalogue publish", *version)
    with pytest.raises(NotPermitted, match="MAKER_IS_CHECKER"):
        run("catalogue publish", *version, "--officer", "both")
    run("catalogue publish", *version, "--officer", "other")
    second = RIDE.replace("version = 1", "version = 2").replace("2026-01-01", "2099-01-01")
    with pytest.raises(NotPermitted, match="SET_UP_IS_OVER"):
        run("catalogue load", a_folder(tmp_path, second), "--publish")
    assert ItemVersion.objects.count() == 1


def test_an_officer_who_loads_is_the_maker(tmp_path: Path, run: Run) -> None:
    an_officer("both", "catalogue_editor", "catalogue_approver")
    an_officer("editor", "catalogue_editor")
    folder = a_folder(tmp_path)
    with pytest.raises(NotPermitted, match="OUT_OF_SCOPE"):
        run("catalogue load", folder, "--officer", "both")  # the registers are everybody's
    run("catalogue load", folder)
    run("catalogue load", a_folder(tmp_path, RIDE), "--officer", "both")
    run("catalogue submit", "transit.bus_ride", 1, "--officer", "editor")
    with pytest.raises(NotPermitted, match="MAKER_IS_CHECKER"):
        run("catalogue publish", "transit.bus_ride", 1, "--officer", "both")


def test_a_list_takes_a_place_a_day_and_filters(tmp_path: Path, run: Run) -> None:
    load_published(tmp_path, RIDE, an_item("culture.museum", 'level = "county"', area="320682"))
    assert "culture.museum" not in run("catalogue list")
    assert "culture.museum" in run("catalogue list", "--place", "320682")
    assert "transit" not in run("catalogue list", "--place", "320682", "--field", "culture", "--kind", "basic")
    assert "0 items" in run("catalogue list", "--day", "2025-12-31")


def test_points_offer_items_and_have_hours(tmp_path: Path, run: Run) -> None:
    needs = 'needs = { when = { days = ["working"], hours = [["08:00", "17:00"]] } }'
    load_published(tmp_path, an_item("culture.museum", needs, 'capacity = { count = 9, period = "day" }'))
    a_point(attended=False)
    run("catalogue offer", "point", "culture.museum", "--capacity", 5)
    assert Offer.objects.get().capacity_count == 5
    hours = json.dumps([{"days": ["working"], "hours": [["08:00", "18:00"]]}])
    run("catalogue hours", "point", hours)
    run("catalogue position", "point", 32.0, 120.9)
    assert Point.objects.filter(latitude_deg=32.0, longitude_deg=120.9).exists()
    with pytest.raises(BadInput, match="POSITION_MALFORMED"):
        run("catalogue position", "point", 32.0)
    run("catalogue position", "point")
    assert Point.objects.filter(latitude_deg=None).exists()
    assert Point.objects.get().hours == json.loads(hours)
    with pytest.raises(Conflict, match="OFFER_HOURS"):
        run("catalogue hours", "point", hours.replace("18:00", "16:00"))
    for wrong in ("[", '[{"day": []}]', '[{"hours": [["8", "9"]]}]'):
        with pytest.raises(BadInput, match="HOURS_MALFORMED"):
            run("catalogue hours", "point", wrong)
    run("catalogue stop-offering", "point", "culture.museum", "moved")
    assert not Offer.objects.exists()
    Point.objects.update(demonstration=True)
    assert json.loads(run("catalogue demonstration-points")) == {"320682": 1}
