-- Open journeys that should have ended, the longest overdue first. $1 how many.
SELECT id, card_id FROM uses_journey WHERE ended_at IS NULL AND ends_by <= now() ORDER BY ends_by LIMIT $1
