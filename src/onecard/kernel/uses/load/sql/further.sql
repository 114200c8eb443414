-- What only some items look at, of the locked cards and their holders, in one statement. One row of JSON texts:
--   journeys  open ones: [[card, item, use that began it, version, point, operator, sponsor, began and ends by itself in
--             Unix seconds, purse, concession, hold, held fen, who bears what that lacks], …]
--   passes    not run out: [[holder, id, item, activate by, lasts days, starts on, uses left], …]
--   changes   the latest admitted use of each item within a day that was not given back: [[card, item, Unix seconds], …]
--   means     [[holder, item, [way, …]], …]
--   accounts  the card-linked bank account's bank: [[card, bank], …]
-- $1 cards, $2 holders, $3 the day, $4 the smallest UUIDv7 of a day ago, $5 now.
SELECT
    (SELECT jsonb_agg(jsonb_build_array(j.card_id, j.item, j.id, j.item_version_id, j.point, j.operator, j.sponsor,
                                        extract(epoch FROM j.at), extract(epoch FROM j.ends_by), j.purse, j.concession, j.hold_id,
                                        j.held_fen, j.borne_by))
     FROM unnest($1::bigint[]) w (card_id)
     CROSS JOIN LATERAL (SELECT * FROM uses_journey o WHERE o.card_id = w.card_id AND o.ended_at IS NULL OFFSET 0) j
    )::text AS journeys,
    (SELECT jsonb_agg(jsonb_build_array(p.holder_id, p.id, p.item, p.activate_by, p.lasts_days, p.starts_on, p.uses_left))
     FROM unnest($2::bigint[]) w (holder_id)
     CROSS JOIN LATERAL (SELECT * FROM entitlements_pass o WHERE o.holder_id = w.holder_id AND NOT o.given_back OFFSET 0) p
     WHERE coalesce(p.starts_on, p.activate_by + 1) + p.lasts_days > $3::date
    )::text AS passes,
    (SELECT jsonb_agg(jsonb_build_array(u.card_id, u.item, u.at))
     FROM unnest($1::bigint[]) w (card_id)
     CROSS JOIN LATERAL (
        SELECT o.card_id, o.item, extract(epoch FROM max(o.at)) AS at FROM uses_use o
        WHERE o.card_id = w.card_id AND o.id >= $4 AND o.at <= $5 AND o.verdict = 'ADMITTED' AND o.leg IS DISTINCT FROM 'in'
          AND NOT EXISTS (SELECT FROM uses_refund r WHERE r.use_id = o.id)
        GROUP BY o.card_id, o.item) u
    )::text AS changes,
    (SELECT jsonb_agg(jsonb_build_array(m.holder_id, m.item, to_jsonb(m.means)))
     FROM unnest($2::bigint[]) w (holder_id)
     CROSS JOIN LATERAL (SELECT * FROM entitlements_means o WHERE o.holder_id = w.holder_id OFFSET 0) m
    )::text AS means,
    (SELECT jsonb_agg(jsonb_build_array(a.card_id, a.bank_id))
     FROM unnest($1::bigint[]) w (card_id)
     CROSS JOIN LATERAL (SELECT o.card_id, o.bank_id FROM cards_account o WHERE o.card_id = w.card_id OFFSET 0) a
    )::text AS accounts
