-- Locks a terminal's journal, one upload of it at a time, and tells how far it is taken. One that is told of for the first time
-- begins. $1 terminal, $2 journal, $3 the journal's id as its first line names it.
INSERT INTO uses_journal AS j (terminal_id, journal, chain) VALUES ($1, $2, $3)
ON CONFLICT (terminal_id, journal) DO UPDATE SET uploaded_at = now()
RETURNING j.through, j.chain
