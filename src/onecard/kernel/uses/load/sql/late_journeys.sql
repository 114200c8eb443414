-- What lines told late may belong to besides open journeys, of the cards $1 and items $2, from $3 to $4; $5 is the smallest UUIDv7
-- of $3. One row of JSON texts:
--   left      journeys that ended by themselves, were not given back, and had not ended at some moment in between:
--             [[card, item, use that began it, version, point, operator, sponsor, began and ended in Unix seconds, purse, concession,
--             who bears what it lacks], …]
--   ended     journeys that a use ended, or that were found to end where a use had tapped out before they were told:
--             [[card, item, use that began it, began and ended in Unix seconds], …]
--   waiting   uses that tapped out of no journey that anybody knew of: [[card, item, Unix seconds, point's code], …]
SELECT
    (SELECT jsonb_agg(jsonb_build_array(j.card_id, j.item, j.id, j.item_version_id, j.point, j.operator, j.sponsor,
                                        extract(epoch FROM j.at), extract(epoch FROM least(j.ends_by, j.ended_at)), j.purse, j.concession,
                                        j.borne_by))
     FROM unnest($1::bigint[]) w (card_id)
     CROSS JOIN LATERAL (
        SELECT * FROM uses_journey o
        WHERE o.card_id = w.card_id AND o.ended_at IS NOT NULL AND o.ended_by IS NULL AND NOT o.given_back
          AND o.at <= $4 AND o.ends_by > $3 OFFSET 0) j
     WHERE j.item = ANY ($2::text[]) AND NOT EXISTS (SELECT FROM uses_refund r WHERE r.use_id = j.id)
    )::text AS left,
    (SELECT jsonb_agg(jsonb_build_array(j.card_id, j.item, j.id, extract(epoch FROM j.at), extract(epoch FROM j.ended_at)))
     FROM unnest($1::bigint[]) w (card_id)
     CROSS JOIN LATERAL (
        SELECT * FROM uses_journey o
        WHERE o.card_id = w.card_id AND NOT o.given_back AND o.at <= $4 AND o.ended_at > $3 OFFSET 0) j
     WHERE j.item = ANY ($2::text[])
       AND (j.ended_by IS NOT NULL
            OR EXISTS (SELECT FROM uses_use u
                       WHERE u.card_id = j.card_id AND u.id >= $5 AND u.item = j.item AND u.leg = 'out'
                         AND u.at BETWEEN j.ended_at - interval '1 second' AND j.ended_at + interval '1 second'))
    )::text AS ended,
    (SELECT jsonb_agg(jsonb_build_array(u.card_id, u.item, extract(epoch FROM u.at), p.code))
     FROM unnest($1::bigint[]) w (card_id)
     CROSS JOIN LATERAL (
        SELECT * FROM uses_use o
        WHERE o.card_id = w.card_id AND o.id >= $5 AND o.leg = 'out' OFFSET 0) u
     JOIN catalogue_point p ON p.id = u.point_id
     LEFT JOIN uses_offline_line l ON l.use_id = u.id
     WHERE u.item = ANY ($2::text[]) AND u.at >= $3 AND coalesce(l.verdict, u.verdict) = 'NO_JOURNEY'
       AND NOT EXISTS (SELECT FROM uses_journey j
                       WHERE j.card_id = u.card_id AND j.item = u.item
                         AND j.at <= u.at + interval '1 minute' AND j.ended_at >= u.at - interval '1 second')
    )::text AS waiting
