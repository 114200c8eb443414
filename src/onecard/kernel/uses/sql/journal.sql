-- How far a terminal's journal is taken. $1 terminal, $2 journal. No row: nothing of it came.
SELECT through, chain FROM uses_journal WHERE (terminal_id, journal) = ($1, $2)
