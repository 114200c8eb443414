"""The tables of the ledger, for reading only: `ledger_post` alone writes them (see the migration)."""

from django.db import models


class Account(models.Model):
    """An account (账户). `owner` is ``holder:12`` or ``party:3``; `role` as items name it; amounts in whole fen."""

    id = models.BigAutoField(primary_key=True)
    ledger = models.TextField()
    role = models.TextField()
    owner = models.TextField()
    limited = models.BooleanField()
    ceiling_fen = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_account"

    def __str__(self) -> str:
        return f"account:{self.pk}"


class Balance(models.Model):
    """The balance of an account with a limit, in fen: what may go out (`free_fen`) and what may come in (`room_fen`,
    None without a ceiling). Credits posted are free_fen + debits_posted + debits_pending. `ledger` is None once the
    account is closed.
    """

    account = models.OneToOneField(Account, on_delete=models.DO_NOTHING, primary_key=True, related_name="balance")
    ledger = models.TextField(null=True)
    free_fen = models.BigIntegerField()
    room_fen = models.BigIntegerField(null=True)
    debits_posted = models.BigIntegerField()
    debits_pending = models.BigIntegerField()
    credits_pending = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "ledger_balance"


class Transfer(models.Model):
    """One transfer (一笔记账); `xid` is the transaction that made it, as decimal text."""

    id = models.UUIDField(primary_key=True)
    debit_account = models.BigIntegerField()
    credit_account = models.BigIntegerField()
    amount_fen = models.BigIntegerField()
    kind = models.TextField()
    code = models.TextField()
    pending_id = models.UUIDField(null=True)
    expires_at = models.DateTimeField(null=True)
    reference = models.UUIDField(null=True)
    at = models.DateTimeField()
    xid = models.TextField()

    class Meta:
        managed = False
        db_table = "ledger_transfer"

    def __str__(self) -> str:
        return f"transfer:{self.pk}"


class Hold(models.Model):
    """A pending transfer that is open (冻结)."""

    id = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "ledger_hold"


class Resolution(models.Model):
    """Which transfer resolved a pending one."""

    pending_id = models.UUIDField(primary_key=True)
    transfer_id = models.UUIDField()

    class Meta:
        managed = False
        db_table = "ledger_resolution"


class Fold(models.Model):
    """The sums of an account without a limit over all transfers of transactions before `xid`."""

    account = models.OneToOneField(Account, on_delete=models.DO_NOTHING, primary_key=True, related_name="fold")
    xid = models.TextField()
    debits = models.DecimalField(max_digits=40, decimal_places=0)
    credits = models.DecimalField(max_digits=40, decimal_places=0)
    folded_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "ledger_fold"
