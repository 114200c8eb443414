-- Notes that an upload of a journal came to its end. $1 terminal, $2 journal, $3 lines that were not taken, $4 what was added to
-- the terminal's clock, $5 through, $6 chain, $7 the last line before the first that is missing, or null.
UPDATE uses_journal SET
    uploads = uploads + 1, rejected = rejected + $3, correction_s = $4, uploaded_at = now(), through = $5, chain = $6,
    broken_after = coalesce(broken_after, $7), broken_at = CASE WHEN coalesce(broken_after, $7) IS NOT NULL THEN coalesce(broken_at, now()) END
WHERE (terminal_id, journal) = ($1, $2)
