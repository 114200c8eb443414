"""The partner bank (合作银行): amounts of card-linked accounts held, captured, released and refunded.

Words
    token     令牌: what the bank calls an account towards us; we never know its number
    hold      冻结: an amount the bank keeps aside under the id of our order
    capture   扣款: a hold becomes a payment;  release 解冻: it is let go;  refund 退款: a payment goes back

    protocol   docs/bank-interface.md as functions over bytes: signed requests, answers that prove themselves
    caller     one request, within a time limit
    settling   brings the orders of `kernel/uses` to their end at the bank; `jobs` does so by the clock

Invariants
    * Each act is known to the bank by an id of ours, so that repeating it changes nothing.
    * What did not answer with its signature within its time did not answer: it is never read as a yes or a no.
    * `protocol` and `caller` import no Django: the gateway calls the bank, too.
"""
