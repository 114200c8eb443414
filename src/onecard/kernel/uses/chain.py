"""How far a journal is taken, by its chain: each line names the mac of the one before it. Pure.

An upload holds every line of its journal from its first sequence on. The head moves along the chain; what comes beyond
a gap is recorded and waits, since the missing lines may be on their way. Only a gap inside an upload that began right
after the head, and came to its end, is a place where a line was removed or altered: then the head moves over it.
"""

from dataclasses import dataclass

import msgspec


class Head(msgspec.Struct, frozen=True):
    """The last line up to which every line of a journal came, and its mac; at first -1 and the journal's id."""

    through: int
    chain: str


class Link(msgspec.Struct, frozen=True):
    """A line as the chain sees it."""

    sequence: int
    previous: str
    mac: str


@dataclass(slots=True)
class Following:
    """What one upload has shown of its journal. `first` is the sequence it said it begins with."""

    first: int
    began_at: int | None = None
    last: Link | None = None
    gap_after: int | None = None
    in_order: bool = True
    stuck: bool = False

    def follow(self, head: Head, link: Link, *, taken: bool) -> tuple[Head, bool]:
        """The head after a line, and whether the line before it is known. One that could not be taken for a fault of
        ours holds the head, so that it is sent again.
        """
        if self.began_at is None:
            self.began_at = head.through
        before, self.last = self.last, link
        if before is not None and link.sequence <= before.sequence:
            self.in_order = False
        self.stuck = self.stuck or not taken
        if link.previous == head.chain and not self.stuck:
            return Head(link.sequence, link.mac), True
        follows_known = before is not None and link.previous == before.mac
        linked = follows_known or link.previous == head.chain or link.sequence <= head.through
        if not linked and self.gap_after is None:
            self.gap_after = head.through
        return head, linked

    def close(self, head: Head) -> tuple[Head, int | None]:
        """The head when the upload came to its end, and after which line one is missing, if that is certain now."""
        is_whole = self.in_order and not self.stuck and self.began_at is not None and self.first <= self.began_at + 1
        if self.gap_after is None or self.last is None or not is_whole or self.last.sequence <= head.through:
            return head, None
        return Head(self.last.sequence, self.last.mac), self.gap_after
