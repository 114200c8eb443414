-- An open journey with its terms, after its card was locked. $1 its id. No row: it ended meanwhile.
SELECT j.card_id, j.item, j.id, j.item_version_id, j.point, j.operator, j.sponsor, extract(epoch FROM j.at)::float8,
       extract(epoch FROM j.ends_by)::float8, j.purse, j.concession, j.hold_id, j.held_fen, j.borne_by, v.declaration::text,
       (SELECT owner FROM ledger_account WHERE role = 'treasury.city') AS treasury
FROM uses_journey j JOIN catalogue_item_version v ON v.id = j.item_version_id
WHERE j.id = $1 AND j.ended_at IS NULL AND j.ends_by <= now()
