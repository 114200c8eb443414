"""Keys behind refs: a database that was restored to before one was made says so, instead of naming somebody else."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.small_city import SmallCity

from onecard.check import running
from onecard.check.command import lines_of


def test_a_database_from_before_a_key_was_made_says_so(
    city: SmallCity, fresh_database: dict[str, str], environment_for: Callable[[str], dict[str, str]]
) -> None:
    rotate = [sys.executable, "-m", "onecard", "keys", "rotate-refs"]
    subprocess.run(rotate, env=environment_for(fresh_database["owner"]), check=True, capture_output=True)
    found = running._ref_keys(city.connection)
    assert (found.ok, found.numbers) == (True, {"checked": 1, "missing": 0})
    city.run("UPDATE ecards_ref_key SET key_sealed = '\\x00'")  # as another ring's change of its seal
    assert running._ref_keys(city.connection).ok
    city.run("DELETE FROM ecards_ref_key")
    found = running._ref_keys(city.connection)
    assert (found.ok, found.numbers) == (False, {"checked": 1, "missing": 1})
    told = "\n".join(lines_of(found, chinese=False))
    assert "restore it to a later moment" in told
    assert oct(next(Path(os.environ["ONECARD_KEYS"]).glob("refs-*")).stat().st_mode)[-3:] == "600"
