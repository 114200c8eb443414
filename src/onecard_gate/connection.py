"""Whether the platform is asked, from what the line did of late (在线、离线自动切换). Pure: it is told the time.

A request that fails or times out makes the gate go offline for a while, so that the next person does not wait for the
same silence; for longer each time, up to a minute. Somebody else (`sync`) tries the line meanwhile; as soon as it
answers, the gate is online again.
"""

from dataclasses import dataclass
from typing import Final

FIRST_AWAY_S: Final = 5.0
LONGEST_AWAY_S: Final = 60.0
TRIED_EVERY_S: Final = 3.0
BELIEVED_FAILURES: Final = 3


@dataclass(slots=True)
class Connection:
    """`away_until` and every `now` are readings of one clock that only grows, in seconds."""

    away_until: float = 0.0
    failures: int = 0
    tried_at: float = 0.0

    def is_up(self, now: float) -> bool:
        """Whether the platform is asked about the next presentation."""
        return now >= self.away_until

    def failed(self, now: float) -> None:
        """A request had no answer."""
        self.failures += 1
        self.tried_at = now
        self.away_until = now + min(LONGEST_AWAY_S, FIRST_AWAY_S * 2 ** min(self.failures - 1, 10))

    def silent(self, now: float) -> None:
        """Somebody else than a presentation found the line silent."""
        self.tried_at = now
        self.away_until = max(self.away_until, now + FIRST_AWAY_S)

    def answered(self) -> None:
        """A request had one."""
        self.failures, self.away_until = 0, 0.0

    def reached(self, now: float) -> None:
        """The line was tried, and answers. Where presentations fail all the same, one after the other, that is not
        enough to ask again at once.
        """
        if self.failures <= BELIEVED_FAILURES:
            self.away_until = now

    def should_try(self, now: float) -> bool:
        """Whether it is time to try the line, while nobody else does."""
        return not self.is_up(now) and now - self.tried_at >= TRIED_EVERY_S

    def tried(self, now: float) -> None:
        self.tried_at = now
