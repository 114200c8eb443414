"""The moves of a card and of its functions, and why a move is blocked. Pure.

States and their Chinese names follow the status values of two city systems (放号, 未启用, 正常, 口头挂失, 书面挂失,
锁定, 挂失注销, 注销).
"""

from enum import StrEnum


class CardState(StrEnum):
    ALLOCATED = "allocated"
    INACTIVE = "inactive"
    ACTIVE = "active"
    TEMP_LOST = "temp_lost"
    LOST = "lost"
    LOCKED = "locked"
    CANCELLED_AFTER_LOSS = "cancelled_after_loss"
    CANCELLED = "cancelled"


class Function(StrEnum):
    SOCIAL_SECURITY = "social_security"
    FINANCIAL = "financial"
    TRANSIT = "transit"


class FunctionState(StrEnum):
    INACTIVE = "inactive"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"
