"""Entitlements (减免优待): what a holder has a right to here, and how much of it is used.

The terms stand in the items (`onecard_kit.terms`) and are judged by `onecard_kit.decide`; this primitive keeps what the
judgement counts: a *quota* (次数) is the number of uses a holder made under one rule in one calendar period. And it
keeps what a holder chose: the *means* (付款方式), in which order an item is paid.

Invariant: a count changes only in the transaction that records the use (or gives it back with a refund).
"""
