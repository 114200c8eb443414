"""Services as data: one folder a field, one TOML file an item. Fields are blind to each other.

`terms`, `guides` and `legal` say in words what the files say, for whichever face shows it.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
