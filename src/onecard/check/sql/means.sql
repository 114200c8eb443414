-- Orders of ways to pay: of a holder there is, for an item there is, each way once.
SELECT count(*) AS checked,
       count(*) FILTER (WHERE h.id IS NULL) AS of_no_holder,
       count(*) FILTER (WHERE i.code IS NULL) AS of_no_item,
       count(*) FILTER (WHERE cardinality(m.means) > (SELECT count(DISTINCT way) FROM unnest(m.means) way)) AS named_twice
FROM entitlements_means m
LEFT JOIN holders_holder h ON h.id = m.holder_id
LEFT JOIN catalogue_item i ON i.code = m.item
