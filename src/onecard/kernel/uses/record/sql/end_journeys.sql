-- Ends journeys that stand already: open ones, and ones that ended by themselves before their end was told. $1 JSON list of {id, ended_at, ended_by, shortfall_fen}; those begun in the same group are not here yet.
UPDATE uses_journey j SET ended_at = e.ended_at, ended_by = e.ended_by, shortfall_fen = e.shortfall_fen
FROM jsonb_to_recordset($1::jsonb) e (id uuid, ended_at timestamptz, ended_by uuid, shortfall_fen bigint)
WHERE j.id = e.id AND j.ended_by IS NULL AND NOT j.given_back
