-- Standings against what refreshing them would write, and against the e-cards and purses they name. The index of the number
-- takes a key and is compared elsewhere.
WITH functions AS (
    SELECT card_id, max(state) FILTER (WHERE function = 'social_security') AS social_security,
           max(state) FILTER (WHERE function = 'financial') AS financial, max(state) FILTER (WHERE function = 'transit') AS transit
    FROM cards_function GROUP BY card_id
), classes AS (
    SELECT holder_id, jsonb_agg(jsonb_build_array(code, from_day, to_day) ORDER BY from_day, code, to_day) AS list
    FROM (SELECT DISTINCT holder_id, code, from_day, to_day FROM holders_class) d GROUP BY holder_id
)
SELECT count(card.id) AS checked,
       count(*) FILTER (WHERE s.card_id IS NULL) AS missing,
       count(*) FILTER (WHERE card.id IS NULL) AS without_card,
       count(*) FILTER (WHERE s.card_id = card.id AND
           (s.holder_id, s.issuing_place, s.generation, s.card_state, s.social_security, s.financial, s.transit, s.classes)
           IS DISTINCT FROM
           (card.holder_id, card.issuing_place, card.generation, card.state, coalesce(f.social_security, 'inactive'),
            coalesce(f.financial, 'inactive'), coalesce(f.transit, 'inactive'), coalesce(c.list, '[]'))) AS different,
       count(*) FILTER (WHERE s.ecard_serial IS DISTINCT FROM e.serial) AS other_ecard,
       count(*) FILTER (WHERE s.purse_account_id IS NOT NULL AND p.owner IS DISTINCT FROM 'holder:' || s.holder_id) AS other_purse
FROM cards_card card
FULL JOIN cards_standing s ON s.card_id = card.id
LEFT JOIN functions f ON f.card_id = card.id
LEFT JOIN classes c ON c.holder_id = card.holder_id
LEFT JOIN ecards_ecard e ON e.card_id = s.card_id AND e.closed_at IS NULL
LEFT JOIN ledger_account p ON p.id = s.purse_account_id
