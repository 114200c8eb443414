"""``python -m onecard``: the command line."""

from onecard.cli import main

raise SystemExit(main())
