"""`python -m onecard_gate`, which `./onecard-gate` runs."""

from onecard_gate.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
