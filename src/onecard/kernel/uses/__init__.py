"""Uses (用卡): one presentation of a card for an item at a point, with its verdict. The five steps, a folder each:

    present/   read what was shown: the code's signature, the chip's cryptogram
    load/      lock the cards, then the purses, each in id order; then read the facts, so that they are seen as they
    now are
    decide/    fold the pure decision (`onecard_kit.decide`) over the group in arrival order, effects feeding the next
    record/    write uses, spent nonces, counters, quotas in the same transaction
    settle/    the transfers a use causes, and those that give it back

`actions.py` composes them: a group of lines is one transaction. A use is idempotent by (terminal, journal, sequence):
the
same content gets the first answer, other content SEQUENCE_REUSED.

Invariants: a nonce or chip counter is spent at most once; an admitted use's transfers are posted in its transaction
or it
is not recorded; a recorded use is never changed. Nothing here imports Django: the gateway runs it.
"""
