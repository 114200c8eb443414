"""Services as data: one folder a field, one TOML file an item. Fields are blind to each other."""

from pathlib import Path

FOLDER = Path(__file__).parent
