"""Who acts: a name for the audit trail, the permissions they hold, and the places they hold them in."""

from dataclasses import dataclass, field

from onecard.foundation.errors import NotPermitted


@dataclass(frozen=True)
class Actor:
    """Someone or something that calls a verb.

    name         stable and free of personal data: ``staff:17``, ``holder:42``, ``terminal:NT-BUS-0001``,
    ``system:worker``
    permissions  verbs as ``primitive.verb``; ``*`` is every verb (only the system itself)
    places       GB/T 2260 prefixes the permissions reach, e.g. ``3206`` for all of Nantong; ``""`` is everywhere
    office       the department an officer acts for: what a resident is told of who looked at their data
    """

    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    places: tuple[str, ...] = ("",)
    office: str = ""

    @property
    def signed(self) -> dict[str, str]:
        """What a fact that its resident may see says of who looked, beside the name."""
        return {"office": self.office} if self.office else {}

    @property
    def is_officer(self) -> bool:
        """Whether it is a member of staff, who answers for what they do: the command line by itself is nobody."""
        return self.name.startswith("staff:")

    def require(self, permission: str, place: str = "") -> None:
        """Raise NotPermitted unless the actor holds `permission` in `place` (GB/T 2260 code)."""
        if not self.permissions & {permission, "*"}:
            raise NotPermitted(
                "NOT_PERMITTED",
                f"您没有“{permission}”权限。",
                f"You lack the permission {permission}.",
                next_zh="请联系本单位管理员授权。",
                next_en="Ask your administrator to grant it.",
            )
        if not any(place.startswith(prefix) for prefix in self.places):
            raise NotPermitted(
                "OUT_OF_SCOPE",
                f"该业务属于{place or '全部地区'}，不在您的管辖范围内。",
                f"This belongs to {place or 'every place'}, outside your scope.",
                next_zh="请转交管辖地的工作人员办理。",
                next_en="Hand it to staff of that place.",
            )

    def require_two(self, permission: str, place: str, checker: "Actor") -> None:
        """Raise NotPermitted unless the actor (经办) and a checker (复核) who is somebody else both hold `permission`.

        Whoever calls the verb has made sure of both: nobody is a checker by being named.
        """
        self.require(permission, place)
        if checker.name == self.name:
            raise NotPermitted(
                "MAKER_IS_CHECKER",
                "经办人与复核人不能是同一人。",
                "Who does this and who approves it must be two people.",
                next_zh="请由另一位有此权限的工作人员复核。",
                next_en="Have another officer with this permission approve it.",
            )
        checker.require(permission, place)


def system(name: str) -> Actor:
    """An actor of our own processes, e.g. ``system("worker")``."""
    return Actor(f"system:{name}", frozenset({"*"}))
