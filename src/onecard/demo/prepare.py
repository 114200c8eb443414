"""``python -m onecard.demo.prepare HOLDERS``: tables, grants and the demo city, in a process of its own.

The launcher that watches the demo for days then never loads Django. A second run finds everything done.
"""

import argparse
import os
import sys
from pathlib import Path

import django

from onecard.demo import database, running
from onecard.foundation.errors import OneCardError
from onecard.foundation.postgres import urls
from onecard.foundation.terminal import say, sentence

SEED = 320600


def main(holders: int) -> int:
    """Prepare the database that ONECARD_DATABASE_URL names as its owner."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "onecard.settings.owner")
    django.setup()
    try:
        database.run_migrate(argparse.Namespace())
        from onecard.demo import city

        city.load(urls.of_environment(), holders, SEED, say, passwords=_passwords())
    except OneCardError as error:
        print(sentence(error), file=sys.stderr)
        return 2
    return 0


def _passwords() -> Path | None:
    """Where the passwords of the demo's sign-ins are kept: beside the pockets, in the data folder."""
    pockets = os.environ.get("ONECARD_POCKETS")
    return Path(pockets).with_name(running.SIGNINS) if pockets else None


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
