"""The names that states and functions have on every screen."""

from onecard.kernel.cards.rules import CardState, FunctionState
from onecard_kit.terms import Function

CARD_STATES = {
    CardState.ALLOCATED: {"zh": "已分配", "en": "Allocated"},
    CardState.INACTIVE: {"zh": "未启用", "en": "Not yet activated"},
    CardState.ACTIVE: {"zh": "正常", "en": "Active"},
    CardState.TEMP_LOST: {"zh": "临时挂失", "en": "Temporarily reported lost"},
    CardState.LOST: {"zh": "正式挂失", "en": "Formally reported lost"},
    CardState.LOCKED: {"zh": "已锁定", "en": "Locked"},
    CardState.CANCELLED_AFTER_LOSS: {"zh": "挂失注销", "en": "Cancelled after loss"},
    CardState.CANCELLED: {"zh": "已注销", "en": "Cancelled"},
}

FUNCTIONS = {
    Function.SOCIAL_SECURITY: {"zh": "社保功能", "en": "Social security"},
    Function.FINANCIAL: {"zh": "金融功能", "en": "Banking"},
    Function.TRANSIT: {"zh": "交通功能", "en": "Transit"},
}

FUNCTION_STATES = {
    FunctionState.INACTIVE: {"zh": "未开通", "en": "Not activated"},
    FunctionState.ACTIVE: {"zh": "已开通", "en": "Active"},
    FunctionState.SUSPENDED: {"zh": "已暂停", "en": "Suspended"},
    FunctionState.CLOSED: {"zh": "已关闭", "en": "Closed"},
}


def masked(number: str) -> str:
    """A card number with its middle hidden: ``A12****89``."""
    return f"{number[:3]}{'*' * (len(number) - 5)}{number[-2:]}"
