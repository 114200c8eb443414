-- Gives back what a use at one of a client's points moved. $1 the refund, $2 the client. Returns the ledger's reasons where it
-- refuses; then nothing moved.
SELECT outcome FROM uses_reverse_for($1, $2) outcome
