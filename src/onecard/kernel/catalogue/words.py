"""The catalogue's own words in both languages."""

from onecard.kernel.catalogue.models import Stage
from onecard_kit.codes import Via
from onecard_kit.terms import Channel, DayKind, Item, Kind, Level, LifeEvent, Manner, Medium

Words = dict[str, str]

STAGES: dict[Stage, Words] = {
    Stage.DRAFT: {"zh": "拟订", "en": "draft"},
    Stage.REVIEW: {"zh": "送审", "en": "in review"},
    Stage.PUBLISHED: {"zh": "发布", "en": "published"},
    Stage.ENDED: {"zh": "终止", "en": "ended"},
}

LEVELS: dict[Level, Words] = {
    Level.REGION: {"zh": "区域清单", "en": "Regional list"},
    Level.PROVINCE: {"zh": "省级清单", "en": "Provincial list"},
    Level.CITY: {"zh": "市级清单", "en": "City list"},
    Level.COUNTY: {"zh": "县级清单", "en": "County list"},
}

KINDS: dict[Kind, Words] = {
    Kind.BASIC: {"zh": "基础应用", "en": "Basic"},
    Kind.EXTENDED: {"zh": "扩展应用", "en": "Extended"},
}

LIFE_EVENTS: dict[LifeEvent, Words] = {
    LifeEvent.BIRTH: {"zh": "出生", "en": "A birth"},
    LifeEvent.SCHOOLING: {"zh": "入学", "en": "School"},
    LifeEvent.WORK: {"zh": "就业", "en": "Work"},
    LifeEvent.ENLISTMENT: {"zh": "参军", "en": "Joining the army"},
    LifeEvent.MARRIAGE: {"zh": "结婚", "en": "Marriage"},
    LifeEvent.HOME: {"zh": "安家", "en": "A home"},
    LifeEvent.TRAVEL: {"zh": "出行", "en": "Travel"},
    LifeEvent.ILLNESS: {"zh": "就医", "en": "Illness"},
    LifeEvent.HARDSHIP: {"zh": "遇到困难", "en": "Hard times"},
    LifeEvent.RETIREMENT: {"zh": "退休", "en": "Retirement"},
    LifeEvent.OLD_AGE: {"zh": "养老", "en": "Old age"},
}

CHANNELS: dict[Channel, Words] = {
    Channel.GATE: {"zh": "闸机、刷卡机", "en": "Gate or reader"},
    Channel.COUNTER: {"zh": "窗口", "en": "Counter"},
    Channel.MACHINE: {"zh": "自助机", "en": "Machine"},
    Channel.ONLINE: {"zh": "网上", "en": "Online"},
    Channel.PHONE: {"zh": "电话", "en": "Phone"},
}

MEDIA: dict[Medium, Words] = {
    Medium.CODE: {"zh": "二维码", "en": "Code"},
    Medium.CARD: {"zh": "实体卡", "en": "Physical card"},
    Medium.NUMBER: {"zh": "数字码（报给工作人员）", "en": "Number read aloud to staff"},
}

# A code that somebody else's phone shows, and paper, where an item takes them.
FAMILY: dict[Manner, Words] = {
    Manner.TAKE: {"zh": "亲情码（亲属手机出示）", "en": "Code on a relative's phone"},
    Manner.LOOK: {"zh": "亲情码（工作人员核对照片）", "en": "Code on a relative's phone (staff look at the photo)"},
}
PAPER: dict[Manner, Words] = {
    Manner.LOOK: {"zh": "纸质码（工作人员核对照片）", "en": "Paper code (staff look at the photo)"},
}


def shown(item: Item) -> list[Words]:
    """How a card may be presented for an item."""
    told = [MEDIA[medium] for medium in item.media]
    if Medium.CODE in item.media:
        told += [
            words for via, by in ((Via.FAMILY, FAMILY), (Via.PAPER, PAPER)) if (words := by.get(item.manner_of(via)))
        ]
    return told


DAYS: dict[DayKind, Words] = {
    DayKind.WORKING: {"zh": "工作日", "en": "working days"},
    DayKind.WEEKEND: {"zh": "周末", "en": "weekends"},
    DayKind.HOLIDAY: {"zh": "节假日", "en": "holidays"},
}

# The thirteen fields of service, as the glossary names them; another folder of `scenarios` is shown by its own name.
FIELDS: dict[str, Words] = {
    "government": {"zh": "政务服务", "en": "Government services"},
    "employment": {"zh": "人力资源和社会保障", "en": "Employment and social security"},
    "health": {"zh": "医疗健康", "en": "Health"},
    "transit": {"zh": "交通出行", "en": "Transit"},
    "tourism": {"zh": "旅游观光", "en": "Tourism"},
    "culture": {"zh": "文化体验", "en": "Culture"},
    "education": {"zh": "教育服务", "en": "Education"},
    "payments": {"zh": "消费支付", "en": "Payments"},
    "living": {"zh": "智慧安居", "en": "Smart living"},
    "countryside": {"zh": "乡村振兴", "en": "Countryside"},
    "mobilisation": {"zh": "国防动员", "en": "Mobilisation"},
    "credit": {"zh": "信用与志愿服务", "en": "Credit and volunteering"},
    "protection": {"zh": "社会救助", "en": "Social protection"},
}


def field(code: str) -> Words:
    """A field's name; its folder's, where it is none of ours."""
    return FIELDS.get(code, {"zh": code, "en": code})
