"""What permissions are called on screens, what roles hold them, and whom to ask for one."""

from onecard.kernel.staff import register
from onecard.kernel.staff.roles import ROLES, Shipped

Words = dict[str, str]

PERMISSIONS: dict[str, Words] = {
    "holders.read": {"zh": "查找持卡人，查看脱敏信息", "en": "Find cardholders and see their masked data"},
    "holders.register": {"zh": "登记持卡人", "en": "Register cardholders"},
    "holders.correct": {"zh": "更正登记信息", "en": "Correct registered data"},
    "holders.reveal": {"zh": "填写理由后查看完整信息", "en": "See data unmasked, for a reason"},
    "holders.grant_certificate": {"zh": "登记证照", "en": "Grant certificates"},
    "holders.withdraw_certificate": {"zh": "撤销证照", "en": "Withdraw certificates"},
    "holders.mark_deceased": {"zh": "登记死亡", "en": "Register a death"},
    "cards.issue": {"zh": "发卡", "en": "Issue cards"},
    "cards.complete": {"zh": "确认制卡完成", "en": "Say that a card is made"},
    "cards.open_purse": {"zh": "开通钱包", "en": "Open purses"},
    "cards.activate_function": {"zh": "开通卡片功能", "en": "Activate functions of cards"},
    "cards.suspend_function": {"zh": "暂停卡片功能", "en": "Suspend functions of cards"},
    "cards.close_function": {"zh": "关闭卡片功能", "en": "Close functions of cards"},
    "cards.report_lost": {"zh": "挂失", "en": "Report cards lost"},
    "cards.unreport": {"zh": "解除挂失", "en": "Lift a loss report"},
    "cards.lock": {"zh": "锁定卡片", "en": "Lock cards"},
    "cards.cancel": {"zh": "注销卡片（须两人）", "en": "Cancel cards (takes two officers)"},
    "ecards.sign_up": {"zh": "签发电子社保卡", "en": "Sign up e-cards"},
    "ecards.close": {"zh": "停用电子社保卡", "en": "Close e-cards"},
    "ecards.enrol_device": {"zh": "登记手机", "en": "Enrol phones"},
    "ecards.revoke_device": {"zh": "移除手机", "en": "Revoke phones"},
    "ecards.issue_paper_code": {"zh": "打印纸质码", "en": "Issue paper codes"},
    "ecards.revoke_paper_code": {"zh": "作废纸质码", "en": "Revoke paper codes"},
    "ecards.write_card_file": {"zh": "写卡", "en": "Write card files"},
    "ecards.rotate_issuer_key": {"zh": "更换发卡密钥", "en": "Rotate issuer keys"},
    "ecards.rotate_ref_key": {"zh": "更换编号密钥", "en": "Rotate ref keys"},
    "ecards.withdraw_key": {"zh": "吊销失窃的密钥", "en": "Withdraw stolen keys"},
    "uses.read": {"zh": "查看用卡流水", "en": "See uses"},
    "uses.explain": {"zh": "填写理由后查看判定依据", "en": "See why a use came to its outcome, for a reason"},
    "uses.refund": {"zh": "退回用卡", "en": "Give uses back"},
    "uses.export": {"zh": "导出用卡流水", "en": "Export uses"},
    "figures.read": {"zh": "查看统计指标", "en": "See figures"},
    "ledger.read": {"zh": "查看账户和记账", "en": "See accounts and transfers"},
    "ledger.hold": {"zh": "冻结金额", "en": "Hold amounts"},
    "ledger.post_hold": {"zh": "将冻结入账", "en": "Post what is held"},
    "ledger.void_hold": {"zh": "解除冻结", "en": "Void what is held"},
    "ledger.correct": {"zh": "更正记账（须两人）", "en": "Correct transfers (takes two officers)"},
    "catalogue.read": {"zh": "查看目录、用卡点和终端", "en": "See catalogue, points and terminals"},
    "catalogue.load": {"zh": "载入目录草稿", "en": "Load drafts of the catalogue"},
    "catalogue.submit": {"zh": "将项目送审", "en": "Submit items for review"},
    "catalogue.send_back": {"zh": "退回送审的项目", "en": "Send items back"},
    "catalogue.publish": {"zh": "发布项目（须两人）", "en": "Publish items (takes two officers)"},
    "catalogue.end": {"zh": "终止项目、用卡点和终端", "en": "End items, points and terminals"},
    "catalogue.offer": {"zh": "在用卡点开通项目", "en": "Offer items at points"},
    "catalogue.stop_offering": {"zh": "在用卡点停办项目", "en": "Stop offering items at points"},
    "catalogue.set_hours": {"zh": "设置开放时间", "en": "Set opening hours"},
    "catalogue.set_position": {"zh": "设置用卡点位置", "en": "Set where points are"},
    "catalogue.mark_demonstration": {"zh": "标记示范点", "en": "Mark demonstration points"},
    "catalogue.suspend": {"zh": "暂停用卡点和终端", "en": "Suspend points and terminals"},
    "catalogue.resume": {"zh": "恢复用卡点和终端", "en": "Resume points and terminals"},
    "catalogue.pair": {"zh": "生成终端配对码", "en": "Make pairing codes of terminals"},
    "sharing.read": {"zh": "查看接入系统和接收地址申请", "en": "See clients and the endpoints they ask for"},
    "sharing.agree": {"zh": "登记共享协议", "en": "File agreements with clients"},
    "sharing.end_agreement": {"zh": "终止共享协议", "en": "End agreements"},
    "sharing.give_credential": {"zh": "发放接入凭据", "en": "Give credentials to clients"},
    "sharing.withdraw_credential": {"zh": "收回接入凭据", "en": "Withdraw credentials"},
    "sharing.add_endpoint": {"zh": "登记接收地址", "en": "Add endpoints of clients"},
    "sharing.end_endpoint": {"zh": "停用接收地址", "en": "End endpoints"},
    "audit.read": {"zh": "查看审计", "en": "See the audit trail"},
    "audit.export": {"zh": "导出审计", "en": "Export facts"},
    "audit.verify": {"zh": "校验审计链", "en": "Verify the chain"},
    "audit.read_risks": {"zh": "查看风险事实", "en": "See risk facts"},
    "audit.follow_risk": {"zh": "处置风险事实", "en": "Follow up risk facts"},
    "audit.declare_risks": {"zh": "载入风险种类", "en": "Declare risk kinds"},
    "staff.read": {"zh": "查看工作人员和角色", "en": "See officers and roles"},
    "staff.appoint": {"zh": "任用、邀请、停用和恢复工作人员", "en": "Appoint, invite, suspend and restore officers"},
    "staff.assign": {"zh": "授予和收回角色", "en": "Assign and withdraw roles"},
    "staff.end_sessions": {"zh": "结束工作人员的登录", "en": "End officers' sessions"},
    "staff.reset_second_factor": {
        "zh": "重置第二步验证（须两人）",
        "en": "Reset second factors (takes two officers)",
    },
}


def name_of(permission: str) -> Words:
    """A permission in words."""
    return PERMISSIONS.get(permission, {"zh": permission, "en": permission})


def roles_with(permission: str) -> list[Shipped]:
    """The shipped roles that hold a permission."""
    return [role for role in ROLES if permission in role.permissions]


def whom_to_ask() -> Words:
    """Serving officers who may assign roles: by name and department, in English by user name; '' if there are none."""
    officers = register.who_may("staff.assign")
    named = (f"{each.display_name}（{each.department}）" if each.department else each.display_name for each in officers)
    return {"zh": "、".join(named), "en": ", ".join(each.user.username for each in officers)}
