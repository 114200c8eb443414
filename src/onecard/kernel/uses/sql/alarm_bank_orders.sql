-- Orders that are a day old and not at their end, each once. Returns id, state, tries.
UPDATE uses_bank_order SET alarmed_at = now()
WHERE state IN ('asked', 'approved', 'held', 'releasing', 'due') AND asked_at < now() - interval '1 day' AND alarmed_at IS NULL
RETURNING id, state, tries
