-- Where uses happen: an item at a terminal, the frequent ones more often; what it costs, and who gets that.
CREATE TABLE crowd_door AS
SELECT row_number() OVER () AS n, t.id AS terminal_id, p.id AS point_id, v.item_id AS item, v.id AS version, d.full_fen,
       purse.id AS to_purse, treasury.id AS to_treasury
FROM catalogue_offer o
JOIN catalogue_point p ON p.id = o.point_id
JOIN catalogue_terminal t ON t.point_id = p.id
JOIN catalogue_item_version v ON v.item_id = o.item_id AND v.stage = 'published' AND v.ends_on IS NULL
CROSS JOIN LATERAL (SELECT CASE WHEN v.item_id LIKE 'transit.%' THEN 200 WHEN v.item_id LIKE 'living.canteen%' THEN 1500
                                WHEN v.item_id = 'payments.shop_purchase' THEN 2500 ELSE 0 END AS full_fen,
                           CASE WHEN v.item_id = 'transit.bus_ride' THEN 8 WHEN v.item_id LIKE 'transit.%' THEN 4
                                WHEN v.item_id LIKE 'culture.library%' THEN 2 ELSE 1 END AS weight) d
LEFT JOIN ledger_account purse ON (purse.owner, purse.role, purse.ledger) = ('party:' || p.operator_id, 'operator.receivable', 'purse')
LEFT JOIN ledger_account treasury ON (treasury.owner, treasury.role, treasury.ledger) = ('party:' || p.operator_id, 'operator.receivable', 'treasury')
CROSS JOIN LATERAL generate_series(1, d.weight)
WHERE v.item_id <> 'payments.purse_topup'
