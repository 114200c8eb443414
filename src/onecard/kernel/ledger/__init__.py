"""The ledger (记账): who holds how much, and why. Double entry, whole fen, after the debit/credit model of TigerBeetle.

A *transfer* (一笔记账) moves an amount from the account it debits to the account it credits; the one row is both
entries, so
debits equal credits by construction. Transfers are never changed: a mistake is corrected by another transfer.
A transfer may be *pending* (a hold, 冻结), then posted, voided or expired, once.

An *account* belongs to one ledger (one kind of value: purse, bank, medical, treasury); a transfer never crosses
ledgers.
An account with a limit (a purse) keeps its balance in `ledger_balance`, updated in the posting transaction, never below
zero and never above its ceiling: the database refuses what code forgets. An account without one (operator, treasury,
clearing) has no row to queue on; its balance is the last fold plus the transfers since.

Invariants (`onecard check`): stored balances equal the sum of transfers; no limited balance below zero; every pending
transfer is resolved at most once and for at most its amount; each ledger sums to zero.

Only the database function `ledger_post` writes transfers and balances. It is idempotent by the caller's transfer id.
"""
