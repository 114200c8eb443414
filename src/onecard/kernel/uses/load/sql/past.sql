-- How things stood before they were as they are, for lines that are told late; after the locks. One row of JSON texts:
--   cards    [[card, until in Unix seconds, state, social security, financial, transit], …] of the cards $1
--   places   [[subject, until in Unix seconds, what was so], …] of the terminal $2, its point and system, and the items $3
--            there (`catalogue_past`)
--   chips    [[card, highest counter, those seen from it down as a text of 0 and 1], …] of the cards $5
--   lines    [[use, verdict, shortfall, borne by, double], …] of the uses $6 that a line of a journal told before
--   given_back  those of the uses $6 that were given back
--   kept     months (YYYYMM) of $7 for which spent nonces are kept apart
-- $4 the earliest moment that is asked about; what ended before it is not read.
SELECT
    (SELECT jsonb_agg(jsonb_build_array(c.card_id, extract(epoch FROM c.until), c.card_state, c.social_security, c.financial, c.transit)
                      ORDER BY c.until)
     FROM unnest($1::bigint[]) w (card_id)
     CROSS JOIN LATERAL (SELECT * FROM cards_past p WHERE p.card_id = w.card_id AND p.until > $4 OFFSET 0) c
    )::text AS cards,
    (SELECT jsonb_agg(jsonb_build_array(c.subject, extract(epoch FROM c.until), c.was) ORDER BY c.until)
     FROM catalogue_terminal t
     JOIN catalogue_point p ON p.id = t.point_id
     CROSS JOIN LATERAL (
        VALUES ('terminal:' || t.id), ('point:' || p.id), ('client:' || p.client_id)
        UNION ALL SELECT 'item:' || i FROM unnest($3::text[]) i
        UNION ALL SELECT 'offer:' || p.id || ':' || i FROM unnest($3::text[]) i) s (subject)
     CROSS JOIN LATERAL (SELECT * FROM catalogue_past a WHERE a.subject = s.subject AND a.until > $4 OFFSET 0) c
     WHERE t.id = $2
    )::text AS places,
    (SELECT jsonb_agg(jsonb_build_array(s.card_id, s.chip_counter, s.chip_seen::text))
     FROM unnest($5::bigint[]) w (card_id)
     CROSS JOIN LATERAL (SELECT * FROM cards_standing o WHERE o.card_id = w.card_id OFFSET 0) s
    )::text AS chips,
    (SELECT jsonb_agg(jsonb_build_array(l.use_id, l.verdict, l.shortfall_fen, l.borne_by, l.double))
     FROM unnest($6::uuid[]) w (use_id)
     CROSS JOIN LATERAL (SELECT * FROM uses_offline_line o WHERE o.use_id = w.use_id OFFSET 0) l
    )::text AS lines,
    (SELECT array_agg(r.use_id) FROM uses_refund r WHERE r.use_id = ANY ($6::uuid[])) AS given_back,
    (SELECT array_agg(m) FROM unnest($7::text[]) m WHERE to_regclass('uses_spent_nonce_' || m) IS NOT NULL) AS kept
