-- Asks the bank for a refund of what was paid for a use, in the transaction that gives the use back. $1 refund, $2 terminal,
-- $3 journal, $4 sequence, $5 content. Nothing happens for a use that was paid otherwise. Returns whether an order that is
-- wanted stands.
SELECT uses_refund_bank_order($1, $2, $3, $4, $5)
