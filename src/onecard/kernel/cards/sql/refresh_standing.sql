-- Compute the standing of cards. $1 bigint[] card ids; $2 bytea[] the blind indexes of their numbers, in the same order.
-- What is not derived from the register (e-card, purse, chip counter) is left alone. Rows are locked in id order.
INSERT INTO cards_standing (card_id, holder_id, issuing_place, generation, card_state, social_security, financial, transit,
                            number_index, classes, updated_at)
SELECT card.id, card.holder_id, card.issuing_place, card.generation, card.state,
       coalesce(functions.social_security, 'inactive'), coalesce(functions.financial, 'inactive'),
       coalesce(functions.transit, 'inactive'), wanted.number_index, coalesce(classes.list, '[]'), now()
FROM unnest($1::bigint[], $2::bytea[]) AS wanted (card_id, number_index)
JOIN cards_card AS card ON card.id = wanted.card_id
CROSS JOIN LATERAL (
    SELECT max(state) FILTER (WHERE function = 'social_security') AS social_security,
           max(state) FILTER (WHERE function = 'financial') AS financial,
           max(state) FILTER (WHERE function = 'transit') AS transit
    FROM cards_function WHERE card_id = card.id
) AS functions
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(code, from_day, to_day) ORDER BY from_day, code, to_day) AS list
    FROM (SELECT DISTINCT code, from_day, to_day FROM holders_class WHERE holder_id = card.holder_id) AS distinct_class
) AS classes
ORDER BY card.id
ON CONFLICT (card_id) DO UPDATE
SET holder_id = excluded.holder_id, issuing_place = excluded.issuing_place, generation = excluded.generation,
    card_state = excluded.card_state, social_security = excluded.social_security, financial = excluded.financial,
    transit = excluded.transit, number_index = excluded.number_index, classes = excluded.classes,
    updated_at = excluded.updated_at
