"""`onecard keys rotate-issuer`, `rotate-refs`, `withdraw-issuer`, `affected`, `drill`: the issuer's keys, their change
and loss.
"""

import argparse

from django.db import connection

from onecard.foundation import node
from onecard.foundation.actors import system
from onecard.foundation.errors import NotFound
from onecard.foundation.terminal import say
from onecard.kernel.ecards import actions, drills, losses, queries, ref_notes
from onecard.kernel.ecards.losses import Lost
from onecard.kernel.ecards.models import Key
from onecard.kernel.staff.command import acting
from onecard_kit.suites import Purpose

PURPOSES = {Purpose.CODES: ("二维码", "codes"), Purpose.LASTING: ("纸质码与卡文件", "paper codes and card files")}


def rotate(arguments: argparse.Namespace) -> int:
    """The key that stood by signs from now on; the one before verifies until what it signed is through."""
    key = actions.rotate_issuer_key(system("operator"), Purpose(arguments.purpose))
    kid = _hex(key)
    say(f"新签发密钥 {kid} 已启用，旧密钥在重叠期内仍可验签。", f"Key {kid} signs now; the one before still verifies.")
    return 0


def rotate_refs(arguments: argparse.Namespace) -> int:
    """Another key for who is behind a ref, from the first day on that no gate has a list for."""
    key = actions.rotate_ref_key(system("operator"))
    ref_notes.keep(ref_notes.RefNote(connection.settings_dict["NAME"], key.pk, key.from_day))
    say(
        f"自 {key.from_day} 起，二维码的当日编号与状态列表使用新密钥；此前各日不变。",
        f"From {key.from_day} on refs in codes and lists are under a new key; those of the days before stay.",
    )
    return 0


def withdraw(arguments: argparse.Namespace) -> int:
    """A stolen key: what it signed is refused from now on, and lists are made anew. `kid` is four hex digits."""
    key, actor = _key(arguments.kid), acting(arguments)
    approver = acting(argparse.Namespace(officer=arguments.approver)) if arguments.approver else None
    _report(losses.lose(actor, key, node.code(), reason=arguments.reason, approved_by=approver))
    return 0


def affected(arguments: argparse.Namespace) -> int:
    """One line for each paper code and card file under a key, by ids, for whoever invites their holders."""
    for line in losses.affected(_key(arguments.kid)):
        print(line)
    return 0


def drill(arguments: argparse.Namespace) -> int:
    """Practise the loss on the key that stands by, and say what came of each step; 1 if one failed."""
    failed = 0
    for step in drills.practise(system("operator"), Purpose(arguments.purpose), node.code(), arguments.gateway):
        sign = "✓" if step.holds else "✗"
        say(f"{sign} {step.zh}", f"{sign} {step.en}")
        failed += not step.holds
    return 1 if failed else 0


def _report(lost: Lost) -> None:
    kid, purpose, toll = _hex(lost.key), Purpose(lost.key.purpose), lost.toll
    zh, en = PURPOSES[purpose]
    signs, stands_by = _hex(queries.signing_key(purpose)), _hex(queries.standing_by(purpose))
    say(
        f"签发密钥 {kid}（{zh}）已吊销，其签发的一律即刻拒绝。",
        f"Key {kid} ({en}) is withdrawn; what it signed is refused now.",
    )
    say(f"现由 {signs} 签发，{stands_by} 备用。", f"{signs} signs now, {stands_by} stands by.")
    say(
        f"失效：至多 {toll.phones} 部手机手中的二维码，{toll.papers} 张纸质码，{toll.card_files} 张卡的卡文件。",
        f"Void: the codes of at most {toll.phones} phones, {toll.papers} paper codes, {toll.card_files} card files.",
    )
    say(f"状态列表已重做 {lost.lists} 份。", f"{lost.lists} status lists are made anew.")
    if toll.papers or toll.card_files:
        say(
            f"请运行 onecard keys affected {kid}，逐一重新签发纸质码、重写卡文件。",
            f"Run onecard keys affected {kid}, and issue the paper codes and write the card files again.",
        )


def _hex(key: Key | None) -> str:
    return bytes(key.kid).hex() if key is not None else "-"


def _key(written: str) -> Key:
    """A key by its four hex digits. Raises NotFound KEY_UNKNOWN with those there are."""
    known = {_hex(key): key for key in queries.issuer_keys()}
    key = known.get(written.lower())
    if key is None:
        raise NotFound(
            "KEY_UNKNOWN",
            f"没有签发密钥 {written}。",
            f"There is no issuer key {written}.",
            next_zh=f"现有（新的在前）：{'、'.join(known)}。",
            next_en=f"There are, newest first: {', '.join(known)}.",
        )
    return key
