-- The list of a place on a day, one page by code: what region, province, city and county declare there. An item stands
-- for the one it extends; one that is suspended, or live in pilot areas elsewhere, is not on it.
-- $1 day, $2 division, $3 field or '', $4 level or '', $5 kind or '', $6 words to find or '', $7 life event or '',
-- $8 the code before, $9 how many. Returns version, field.
WITH RECURSIVE place AS (
    SELECT CASE WHEN $2::text LIKE '%0000' THEN left($2, 2) WHEN $2 LIKE '%00' THEN left($2, 4) ELSE $2 END AS prefix
), here AS (
    SELECT i.code, i.field, i.level, i.extends_id, v.id, v.declaration
    FROM place, catalogue_item i
    JOIN catalogue_item_version v ON v.item_id = i.code AND v.stage IN ('published', 'ended')
     AND v.starts_on <= $1::date AND (v.ends_on IS NULL OR v.ends_on > $1::date)
    WHERE i.state = 'active'
      AND CASE i.level
          WHEN 'province' THEN starts_with(place.prefix, left(i.area, 2))
          WHEN 'city' THEN starts_with(place.prefix, left(i.area, 4))
          WHEN 'county' THEN place.prefix = i.area
          ELSE EXISTS (SELECT FROM catalogue_area_set s, unnest(s.places) p WHERE s.code = i.area AND starts_with(place.prefix, p))
          END
      AND (v.declaration -> 'pilot_areas' IS NULL OR v.declaration -> 'pilot_areas' = '[]'
           OR EXISTS (SELECT FROM jsonb_array_elements_text(v.declaration -> 'pilot_areas') a
                      WHERE starts_with(place.prefix, regexp_replace(a, '(00)+$', ''))))
), stood_for AS (
    SELECT extends_id AS code FROM here WHERE extends_id IS NOT NULL
    UNION
    SELECT upper.extends_id FROM stood_for JOIN catalogue_item upper ON upper.code = stood_for.code
    WHERE upper.extends_id IS NOT NULL
)
SELECT here.id, here.field FROM here
WHERE here.code NOT IN (SELECT code FROM stood_for)
  AND ($3 = '' OR here.field = $3)
  AND ($4 = '' OR here.level = $4)
  AND ($5 = '' OR here.declaration ->> 'kind' = $5)
  AND ($6 = '' OR strpos(lower(concat_ws(' ', here.code, here.declaration #>> '{name,zh}', here.declaration #>> '{name,en}')),
                       lower($6)) > 0)
  AND ($7 = '' OR here.declaration -> 'life_events' @> to_jsonb($7::text))
  AND here.code > $8
ORDER BY here.code
LIMIT $9
