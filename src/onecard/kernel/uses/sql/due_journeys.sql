-- Open journeys that should have ended, the longest overdue first, after one of them: $1 when that one was to end, $2 its id.
-- $3 how many. Returns when it was to end, journey, card.
SELECT ends_by, id, card_id FROM uses_journey
WHERE ended_at IS NULL AND ends_by <= now() AND (ends_by, id) > ($1::timestamptz, $2::uuid)
ORDER BY ends_by, id LIMIT $3
