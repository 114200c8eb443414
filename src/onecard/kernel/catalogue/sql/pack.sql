-- The point of a terminal ($1 id) as its gates' packs say it, with every terminal there, and what it offers from a day on ($2) for
-- so many days ($3). What was offered here in the last three days, longer than any journey lasts, is among it, not `offered`: who is
-- in is let out. A version ends when its row says so: its end may have been brought forward since it was declared.
SELECT (SELECT number FROM catalogue_revision) AS revision, p.id AS point_id,
       jsonb_build_object('code', p.code, 'state', p.state, 'client_state', c.state, 'division', p.division,
                          'hours', p.hours, 'media', to_jsonb(p.media))::text AS point,
       (SELECT jsonb_object_agg(t.id, jsonb_build_object('code', t.code, 'serial', t.id, 'state', t.state,
                                                         'attended', t.attended))
        FROM catalogue_terminal t WHERE t.point_id = p.id)::text AS terminals,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'code', i.code, 'state', i.state, 'capacity_count', o.capacity_count, 'offered', o.item_id IS NOT NULL,
            'versions', (SELECT coalesce(jsonb_agg(v.declaration || jsonb_build_object('ends_on', v.ends_on) ORDER BY v.starts_on), '[]')
                         FROM catalogue_item_version v
                         WHERE v.item_id = i.code AND v.stage IN ('published', 'ended')
                           AND v.starts_on <= $2::date + $3::int AND (v.ends_on IS NULL OR v.ends_on > $2::date)))
            ORDER BY i.code), '[]')
        FROM catalogue_item i LEFT JOIN catalogue_offer o ON o.item_id = i.code AND o.point_id = p.id
        WHERE o.item_id IS NOT NULL OR EXISTS (
            SELECT FROM catalogue_past w WHERE w.subject = 'offer:' || p.id || ':' || i.code
               AND w.until > now() - interval '3 days' AND (w.was ->> 'offered')::boolean))::text AS items
FROM catalogue_terminal self
JOIN catalogue_point p ON p.id = self.point_id
JOIN catalogue_client c ON c.id = p.client_id
WHERE self.id = $1
