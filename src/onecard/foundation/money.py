"""Money is whole fen (分) of renminbi in an int; it becomes 元 only where people read it."""


def yuan(fen: int) -> str:
    """Write fen as 元 with two decimals: ``yuan(-205) == "-2.05"``."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole}.{rest:02d}"
