-- Counts holders, cards and e-cards by the division that registered the holder.
INSERT INTO uses_division (division, holders, ecards, states)
SELECT h.place, h.holders, coalesce(c.ecards, 0), coalesce(c.states, '{}')
FROM (SELECT place, count(*) FILTER (WHERE life = 'alive') AS holders FROM holders_holder GROUP BY 1) h
LEFT JOIN (
    SELECT place, sum(ecards) AS ecards, jsonb_object_agg(state, cards) AS states
    FROM (SELECT o.place, k.state, count(*) AS cards, count(*) FILTER (WHERE k.state = 'active' AND s.ecard_serial IS NOT NULL) AS ecards
          FROM cards_card k JOIN holders_holder o ON o.id = k.holder_id LEFT JOIN cards_standing s ON s.card_id = k.id
          GROUP BY 1, 2) by_state
    GROUP BY 1) c ON c.place = h.place
