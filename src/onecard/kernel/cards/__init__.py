"""Cards (社会保障卡): the physical card, its three functions, and its standing.

Words
    card        issued by a place to a holder, with a number, an identifier (卡识别码), a bank and a generation
    function    social_security, financial, transit: one card, three states of their own
    move        one step from a state to the next; those that exist are rows of `cards_move` and `cards_function_move`
    standing    卡况: the one row a gate needs about a card; no name, number or birth date in it
    account     关联银行账户: the bank account linked with a card, by the bank's opaque token; never by its number

Invariants
    * A state changes only along a move: `rules` says why not, and a trigger refuses it in the database as well.
    * A verb that changes a card or its functions refreshes its standing in the same transaction.
    * The card row is locked first, then its standing: whoever waits for a card waits in one place.
    * Standing is derived: `sql/refresh_standing.sql` can compute it again at any time. Only the e-card's serial, the
      purse and the chip counter live there alone.
"""
