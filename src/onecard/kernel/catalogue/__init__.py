"""The catalogue (应用项目清单): what the card is good for, where, and on what.

item (应用项目)         one entry of a list at one of four levels; the lower extends the upper. Its versions are
                        declarations with days from and to, and a stage: draft → review → published → ended
point (用卡点)          where a card is used; run by an operator (a party), reached through a client; offers items
                        that it has what they need for: staff, media, hours, a place in the item's area
terminal (终端)         the device there; proves itself with its own key, made at pairing and wrapped in the database
client (接入系统)       the department's or operator's system that a point belongs to
area set (区域集合)     a named set of places: the area of a region's item, or whose cards a concession is for
legal basis (法规依据)  an article that items and refusals point to

Each of the first four has a state (active, suspended, ended) that the next use after a change's commit obeys: the
gateway reads it in the transaction that records the use.

`files` reads a folder of scenarios, `loading` stores it, `publishing` moves versions from stage to stage, `actions` is
about points and terminals.

Invariants: a published version never changes but for its end; published versions of an item do not overlap; officers
alone submit, publish and end a version, and who made it does not publish it (but for a node's first set-up); an item
extends one of a higher level only; of a terminal's pairing codes the last works, once; a terminal's key is
never stored in the clear.
"""
