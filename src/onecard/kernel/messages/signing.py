"""The keys that messages are signed with: derived from the ring `clients`, so that none lies in the database."""

from onecard.foundation import keys


def key_of(endpoint_id: int, number: int) -> bytes:
    """The n-th key of an endpoint, 32 bytes."""
    return keys.load("clients").hmac("webhook", f"{endpoint_id}.{number}".encode())


def key_id(endpoint_id: int, number: int) -> str:
    """What a signature calls it: ``12.1``."""
    return f"{endpoint_id}.{number}"
