"""The primitives. Each line knows only lines below it (see docs/architecture.md and the contracts in
pyproject.toml)."""
