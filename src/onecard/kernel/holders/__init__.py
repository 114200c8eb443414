"""Holders (持卡人): the people of the registry, one record a person for life, and what they count as.

A *holder* is found by identity number, by exact name, by pinyin initials with birth year, or by phone; each search goes
through a blind index. A *certificate* (证照) is an attribute a department certifies. A *class* (人群类别) is what a
holder counts as for terms on given days; classes follow from the birth date and the certificates and are never
entered by hand.

Invariants: number, name, phone and address lie sealed and open only in their own row; one number, one holder; the
life of a class row is ``[from_day, to_day)``; whoever changes classes queues ``cards.refresh_standing`` in the same
transaction; audit facts and log lines hold ids and field names, never a name or a number.
"""
