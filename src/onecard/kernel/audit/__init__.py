"""Audit (审计): what was done, by whom, to what, and proof that nobody changed it afterwards.

Words
    fact       one verb that took effect: actor, verb, subject, place, reason, detail; ids and digests only, no names
    risk fact  a sign of misuse that a person should look at: a cloned chip, a replayed code
    risk kind  what a file declares of such signs: words, severity, advice, and what a job looks back on
    follow-up  what an officer made of a risk fact: looked at, dismissed, acted, with the reason
    seal       a digest over a batch of committed facts and over the seal before it
    anchor     a signature of the day's last seal, to be kept outside the database
    verification  the chain recomputed by a job, and what it found

Invariants
    * Facts, risk facts, follow-ups, seals and anchors are only ever inserted; triggers refuse the rest, also to the
      owner. Where a risk fact stands is drawn from its last follow-up by a trigger, and nothing else writes it.
    * Each process writes facts in its own name only: holders, staff, terminals, the system (row-level security).
    * A fact is written in the transaction of what it tells of: both stand or neither does.
    * A seal covers every fact of a range of transaction ids, all of them finished, so that nothing commits into it
      later. Transaction ids therefore must never run backwards: a cluster filled from a logical dump needs
      ``pg_resetwal --next-transaction-id`` past the highest sealed one.
    * The trail is never a queue: no work waits in it. What looks back over it (`looking`) counts, and
      raises risk facts.
"""
