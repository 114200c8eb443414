-- Gives back what a use moved. $1 the refund. Returns the ledger's reasons where it refuses; then nothing moved.
SELECT outcome FROM uses_reverse($1) outcome
