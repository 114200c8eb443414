"""Tables of cards: the card, its functions, the moves that exist, and the standing gates read."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from onecard.kernel.cards.rules import ACCOUNT_FORM, CardState, FunctionState
from onecard_kit.terms import Function

CARD_STATES = [state.value for state in CardState]
FUNCTIONS = [function.value for function in Function]
FUNCTION_STATES = [state.value for state in FunctionState]


class Card(models.Model):
    """A physical card. `valid_to` is its last valid day; `state_before_loss` is kept while it is `temp_lost`."""

    id = models.BigAutoField(primary_key=True)
    number = models.CharField(max_length=9, unique=True)
    identifier = models.CharField(max_length=32, unique=True)
    holder = models.ForeignKey("holders.Holder", on_delete=models.PROTECT, related_name="cards")
    issuing_place = models.CharField(max_length=6)
    bank = models.ForeignKey("partners.Party", on_delete=models.PROTECT, related_name="+")
    generation = models.SmallIntegerField()
    state = models.TextField()
    state_before_loss = models.TextField(null=True, blank=True)
    issued_on = models.DateField()
    valid_to = models.DateField()
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    version = models.IntegerField(db_default=1)

    class Meta:
        # The id is in it because the list of a state is paged by id.
        indexes = [models.Index("state", "id", name="cards_card_by_state")]
        constraints = [
            models.CheckConstraint(condition=Q(number__regex=r"^[A-Z0-9][0-9]{8}$"), name="cards_card_number_form"),
            models.CheckConstraint(condition=Q(identifier__regex=r"^[0-9A-F]{32}$"), name="cards_card_identifier_form"),
            models.CheckConstraint(condition=Q(issuing_place__regex=r"^[0-9]{6}$"), name="cards_card_place_form"),
            models.CheckConstraint(condition=Q(generation__in=(2, 3)), name="cards_card_generation_known"),
            models.CheckConstraint(condition=Q(state__in=CARD_STATES), name="cards_card_state_known"),
            models.CheckConstraint(
                condition=Q(
                    state="temp_lost", state_before_loss__isnull=False, state_before_loss__in=("inactive", "active")
                )
                | (~Q(state="temp_lost") & Q(state_before_loss__isnull=True)),
                name="cards_card_before_loss_kept",
            ),
        ]

    def __str__(self) -> str:
        return f"card:{self.pk}"


class CardFunction(models.Model):
    """One of a card's three functions (功能)."""

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="functions")
    function = models.TextField()
    state = models.TextField()
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cards_function"
        constraints = [
            models.UniqueConstraint(fields=("card", "function"), name="cards_function_once"),
            models.CheckConstraint(condition=Q(function__in=FUNCTIONS), name="cards_function_known"),
            models.CheckConstraint(condition=Q(state__in=FUNCTION_STATES), name="cards_function_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.function} of card:{self.card_id}"


class Account(models.Model):
    """The bank account linked with a card, by the opaque token under which the bank knows it; never by its number.

    It is there from the activation of the financial function until that is closed. `card_id` is no foreign key, as in
    `Standing`: the gateway reads it beside the standing.
    """

    card_id = models.BigIntegerField(primary_key=True)
    bank = models.ForeignKey("partners.Party", on_delete=models.PROTECT, related_name="+")
    token = models.TextField()

    class Meta:
        db_table = "cards_account"
        constraints = [
            models.UniqueConstraint(fields=("bank", "token"), name="cards_account_once"),
            models.CheckConstraint(condition=Q(token__regex=ACCOUNT_FORM), name="cards_account_token_form"),
        ]

    def __str__(self) -> str:
        return f"account of card:{self.card_id}"


class Move(models.Model):
    """A card may go from one state to the other. The trigger on `cards_card` reads these rows."""

    pk = models.CompositePrimaryKey("from_state", "to_state")
    from_state = models.TextField()
    to_state = models.TextField()

    class Meta:
        db_table = "cards_move"


class FunctionMove(models.Model):
    """A function may go from one state to the other. The trigger on `cards_function` reads these rows."""

    pk = models.CompositePrimaryKey("from_state", "to_state")
    from_state = models.TextField()
    to_state = models.TextField()

    class Meta:
        db_table = "cards_function_move"


class Standing(models.Model):
    """What a gate needs about a card (卡况). Written by `refresh_standing`; `card_id` is the card's id, never enforced
    as a foreign key, so that a gate's lock on this row never waits for the register.

    classes       [[code, from day, end day or null (exclusive)], …]
    number_index  blind index of the card's number, so that a reader's number finds the row and the row tells no number
    chip_counter  the last counter the chip showed online
    codes_from    what the e-card's phones fetched up to then is refused: one of them was withdrawn
    """

    card_id = models.BigIntegerField(primary_key=True)
    holder_id = models.BigIntegerField(db_index=True)
    issuing_place = models.CharField(max_length=6)
    generation = models.SmallIntegerField()
    card_state = models.TextField()
    social_security = models.TextField()
    financial = models.TextField()
    transit = models.TextField()
    number_index = models.BinaryField(unique=True)
    ecard_serial = models.IntegerField(null=True, unique=True)
    purse_account_id = models.BigIntegerField(null=True)
    classes = models.JSONField()
    chip_counter = models.BigIntegerField(db_default=0)
    codes_from = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "cards_standing"
        # What status lists name: few of all, and no use changes what it holds.
        indexes = [
            models.Index(
                fields=("card_id",),
                include=("card_state", "ecard_serial"),
                condition=~Q(card_state="active"),
                name="cards_standing_not_active",
            )
        ]
