"""Tables of e-cards: the e-card, the issuer's keys, the devices that fetch codes, what lasts, the lists for gates."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from onecard_kit.pack import FIXED
from onecard_kit.suites import Purpose

SERIALS = 1 << 24
FORMS = ("cwt", "jwt")
KINDS = ("parent", "child", "spouse", "other")


class Ecard(models.Model):
    """The electronic card on a card (电子社保卡); its states are its card's."""

    serial = models.IntegerField(primary_key=True)
    card = models.OneToOneField("cards.Card", on_delete=models.PROTECT, related_name="ecard")
    signed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        # What the status lists name of the closed, and nothing else, is read from it.
        indexes = [models.Index("serial", condition=Q(closed_at__isnull=False), name="ecards_ecard_closed")]
        constraints = [
            models.CheckConstraint(condition=Q(serial__gte=0, serial__lt=SERIALS), name="ecards_ecard_serial_24_bits"),
        ]

    def __str__(self) -> str:
        return f"ecard:{self.serial}"


class Key(models.Model):
    """An issuer key, for one purpose. It signs in [sign_from, sign_to) and verifies until verify_to; null is open.

    One without `sign_from` stands by: gates know it already, and it signs from the next rotation or loss on.
    """

    id = models.BigAutoField(primary_key=True)
    kid = models.BinaryField(unique=True)
    purpose = models.TextField(db_default=Purpose.CODES.value)
    suite = models.TextField()
    public = models.BinaryField()
    private_sealed = models.BinaryField()
    sign_from = models.DateTimeField(null=True, blank=True)
    sign_to = models.DateTimeField(null=True, blank=True)
    verify_to = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(suite__in=("ed25519", "sm2")), name="ecards_key_suite_known"),
            models.CheckConstraint(condition=Q(purpose__in=list(Purpose)), name="ecards_key_purpose_known"),
            models.CheckConstraint(
                condition=Q(sign_to__isnull=True, verify_to__isnull=True)
                | Q(sign_to__isnull=False, verify_to__isnull=False, verify_to__gte=models.F("sign_to")),
                name="ecards_key_verifies_as_long_as_it_signed",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(sign_to__isnull=False),
                name="ecards_key_withdrawn_signs_no_more",
            ),
            models.CheckConstraint(
                condition=Q(sign_from__isnull=False) | Q(sign_to__isnull=True),
                name="ecards_key_ends_after_it_began",
            ),
            # Of each purpose, of whichever suite.
            models.UniqueConstraint(
                fields=("purpose",),
                condition=Q(sign_from__isnull=False, sign_to__isnull=True),
                name="ecards_key_one_signs",
            ),
            models.UniqueConstraint(
                fields=("purpose",),
                condition=Q(sign_from__isnull=True),
                name="ecards_key_one_stands_by",
            ),
        ]

    def __str__(self) -> str:
        return f"issuer_key:{self.pk}"


class RefKey(models.Model):
    """A later key of the daily permutation of serials: for codes and lists of the days from `from_day` on."""

    id = models.BigAutoField(primary_key=True)
    from_day = models.DateField(unique=True)
    key_sealed = models.BinaryField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "ecards_ref_key"

    def __str__(self) -> str:
        return f"ref_key:{self.pk}"


class Tie(models.Model):
    """That a relative may show an e-card on their own phone (亲情绑定). The holder of the e-card offers it, the
    relative agrees; either ends it.

    holder  the relative who shows it
    kind    what the holder of the e-card is to them
    """

    id = models.BigAutoField(primary_key=True)
    ecard = models.ForeignKey(Ecard, on_delete=models.PROTECT, related_name="ties")
    holder = models.ForeignKey("holders.Holder", on_delete=models.PROTECT, related_name="ties")
    kind = models.TextField()
    offered_at = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("ecard", "holder"), condition=Q(ended_at__isnull=True), name="ecards_tie_one_is_open"
            ),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="ecards_tie_kind_known"),
        ]

    def __str__(self) -> str:
        return f"tie:{self.pk}"


class Device(models.Model):
    """A phone that may fetch codes for one e-card. Its token is known only by digest. `last_used_at` is when it fetched
    last, to ten minutes. `tie` is by which it shows a relative's e-card; none: it is the holder's own.
    """

    id = models.BigAutoField(primary_key=True)
    ecard = models.ForeignKey(Ecard, on_delete=models.PROTECT, related_name="devices")
    tie = models.ForeignKey(Tie, on_delete=models.PROTECT, null=True, blank=True, related_name="devices")
    token_digest = models.BinaryField(unique=True)
    label = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"device:{self.pk}"


class Number(models.Model):
    """The read-aloud number (数字码) of an e-card, known by a keyed digest: a new one takes the place of the last.

    It is used up by spending its nonce, as a code is.
    """

    ecard = models.OneToOneField(Ecard, on_delete=models.PROTECT, primary_key=True, related_name="number")
    digest = models.BinaryField(unique=True)
    nonce = models.BinaryField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"number of ecard:{self.pk}"


class PaperCode(models.Model):
    """A paper code (纸质码) of an e-card, by its serial: its index in the list of paper codes. One of an e-card is good
    at a time. `kid` is of the key that signed it; what is printed is kept nowhere.
    """

    serial = models.IntegerField(primary_key=True)
    ecard = models.ForeignKey(Ecard, on_delete=models.PROTECT, related_name="paper_codes")
    kid = models.BinaryField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "ecards_paper_code"
        # What the list of paper codes names of the revoked, and nothing else, is read from it.
        indexes = [models.Index("serial", condition=Q(revoked_at__isnull=False), name="ecards_paper_code_revoked")]
        constraints = [
            models.CheckConstraint(condition=Q(serial__gte=0, serial__lt=SERIALS), name="ecards_paper_code_24_bits"),
            models.UniqueConstraint(
                fields=("ecard",), condition=Q(revoked_at__isnull=True), name="ecards_paper_code_one_is_good"
            ),
        ]

    def __str__(self) -> str:
        return f"paper_code:{self.serial}"


class CardFile(models.Model):
    """The card file (卡文件) that was written for a card last: when, until when, and under which key. What it says is
    not kept, it is read from the register whenever one is written.
    """

    card = models.OneToOneField("cards.Card", on_delete=models.PROTECT, primary_key=True, related_name="file")
    kid = models.BinaryField()
    written_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "ecards_card_file"
        indexes = [models.Index("kid", name="ecards_card_file_by_key")]

    def __str__(self) -> str:
        return f"file of card:{self.pk}"


class StatusList(models.Model):
    """A status list (状态列表) in one form, as gates fetch it: the newest takes the place of the one before. `number`
    grows with every list that is made.

    name    what it is for: the codes of a China day, ``2026-03-01``, or one of `onecard_kit.pack.FIXED`
    day     that day
    digest  of what was marked: what tells whether there is anything new to say
    kid     of the key that signed it
    etag    a digest of the body, hex
    """

    pk = models.CompositePrimaryKey("name", "form")
    name = models.TextField()
    day = models.DateField(null=True)
    form = models.TextField()
    number = models.BigIntegerField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    kid = models.BinaryField()
    digest = models.BinaryField()
    etag = models.TextField()
    body = models.BinaryField()

    class Meta:
        db_table = "ecards_status_list"
        constraints = [
            models.CheckConstraint(condition=Q(form__in=FORMS), name="ecards_status_list_form_known"),
            models.CheckConstraint(
                condition=Q(name__in=FIXED, day__isnull=True) | Q(name__regex=r"^\d{4}-\d\d-\d\d$", day__isnull=False),
                name="ecards_status_list_named",
            ),
        ]

    def __str__(self) -> str:
        return f"status_list:{self.name}:{self.form}"
