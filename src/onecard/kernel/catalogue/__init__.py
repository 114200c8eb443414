"""The catalogue (应用项目清单): what the card is good for, where, and on what.

item (应用项目)      one entry of the list; its versions are declarations with days from and to, never changed
point (用卡点)       where a card is used; run by an operator (a party), reached through a client; offers items
terminal (终端)      the device there; proves itself with its own key, made at pairing and wrapped in the database
client (接入系统)    the department's or operator's system that a point belongs to

Each has a state (active, suspended, ended) that the next use after a change's commit obeys: the gateway reads it in the
transaction that records the use.

Invariants: versions of an item do not overlap; a pairing code works once; a terminal's key is never stored in the
clear.
"""
