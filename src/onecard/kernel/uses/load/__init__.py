"""Step 2, load (取数): lock the cards, then the purses, each in id order; then read the facts in a later statement.

A later statement, so that it sees what it waited for. The card row is the one lock for everything of a card: its
nonces,
counter and quotas are read and written only under it.
"""
