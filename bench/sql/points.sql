-- Points as the demo's are, with three terminals each, so that each has as many uses as elsewhere.
WITH base AS (
    SELECT p.*, row_number() OVER (ORDER BY p.id) - 1 AS n, count(*) OVER () AS of FROM catalogue_point p WHERE cardinality(p.media) = 2
), made AS (
    INSERT INTO catalogue_point (code, client_id, operator_id, name_zh, name_en, division, demonstration)
    SELECT 'CROWD-' || k || '-' || b.code, b.client_id, b.operator_id, b.name_zh || k, b.name_en || ' ' || k,
           (ARRAY['320613', '320612', '320614', '320685', '320623', '320681', '320682'])[1 + k % 7], true
    FROM generate_series(1, $1::int) k JOIN base b ON b.n = k % b.of
    RETURNING id, code
), offered AS (
    INSERT INTO catalogue_offer (point_id, item_id)
    SELECT m.id, o.item_id FROM made m
    JOIN catalogue_point p ON p.code = regexp_replace(m.code, '^CROWD-[0-9]+-', '') JOIN catalogue_offer o ON o.point_id = p.id
)
INSERT INTO catalogue_terminal (code, point_id, attended) SELECT m.code || '-' || t, m.id, false FROM made m CROSS JOIN generate_series(1, 3) t
