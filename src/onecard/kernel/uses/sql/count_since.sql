-- Uses recorded since a moment, by item and verdict, at points in divisions that begin with one of some prefixes.
-- $1 the smallest UUIDv7 of the moment, so that only the partitions since then are read; $2 prefixes.
SELECT u.item, u.verdict, count(*)
FROM uses_use u
JOIN catalogue_point p ON p.id = u.point_id
WHERE u.id >= $1 AND EXISTS (SELECT FROM unnest($2::text[]) place WHERE starts_with(p.division, place))
GROUP BY 1, 2
ORDER BY 1, 3 DESC, 2
