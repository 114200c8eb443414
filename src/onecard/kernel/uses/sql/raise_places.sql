-- Raises a risk fact for each card that was admitted at two points too far apart for the time between: $1 kind, $2 after,
-- $3 through, $4 km apart at least, $5 km/h that nobody travels, $6 minutes between at most. Each use of the batch is
-- compared with those of its card that were recorded before it and happened near it; of the pairs of a window the fastest
-- makes the fact. Points without a position are nowhere. Distances are those on a sphere, well enough for a country.
-- Returns how many were raised.
WITH pairs AS (
    SELECT u.card_id, u.id, o.id AS other, u.point_id, o.point_id AS other_point, p.division, u.terminal_id, o.terminal_id AS other_terminal,
           km, abs(extract(epoch FROM u.at - o.at)) AS apart_s, least(u.at, o.at) AS first, greatest(u.at, o.at) AS last
    FROM uses_use u
    JOIN catalogue_point p ON p.id = u.point_id AND p.latitude_deg IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT x.id, x.at, x.point_id, x.terminal_id FROM uses_use x
        WHERE x.card_id = u.card_id AND x.id >= uuid7_floor(u.at - make_interval(mins => $6)) AND x.id < u.id
          AND x.at BETWEEN u.at - make_interval(mins => $6) AND u.at + make_interval(mins => $6)
          AND x.point_id <> u.point_id AND x.verdict = 'ADMITTED') o
    JOIN catalogue_point q ON q.id = o.point_id AND q.latitude_deg IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT 12742 * asin(least(1, sqrt(power(sin(radians(p.latitude_deg - q.latitude_deg) / 2), 2)
            + cos(radians(p.latitude_deg)) * cos(radians(q.latitude_deg)) * power(sin(radians(p.longitude_deg - q.longitude_deg) / 2), 2)))) AS km) d
    WHERE u.id > $2 AND u.id <= $3 AND u.verdict = 'ADMITTED' AND u.card_id IS NOT NULL
      AND km >= $4 AND km * 3600 > $5 * abs(extract(epoch FROM u.at - o.at))
), raised AS (
    INSERT INTO audit_risk_fact (kind, subject, window_from, detail)
    SELECT DISTINCT ON (card_id, window_from) $1, 'card:' || card_id, window_from, jsonb_build_object(
        'place', division, 'uses', jsonb_build_array(other, id), 'terminals', jsonb_build_array(other_terminal, terminal_id),
        'km', round(km::numeric), 'seconds', round(apart_s), 'from', first, 'until', last)
    FROM pairs CROSS JOIN LATERAL (
        SELECT date_bin(make_interval(mins => $6), last, '2000-01-01 00:00+08') AS window_from) w
    ORDER BY card_id, window_from, km / greatest(apart_s, 1) DESC
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM raised
