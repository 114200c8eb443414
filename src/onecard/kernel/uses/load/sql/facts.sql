-- Reads the facts of a group in one statement, after the locks. One row:
--   revision   of the catalogue
--   areas      {set: [place, …]} when the revision is not $10, else null
--   places     [[terminal, item, terminal state, client state, point, point state, division, operator,
--                [[key, end of its force in Unix seconds or null], …], item state or null, version or null, offered,
--                point's code, its hours, media, sponsor, capacity or null, terminal attended], …]
--              for the distinct pairs $1 terminal ids, $2 item codes that are not remembered ($11) of this day and of the
--              revision $10: as long as nothing changed, nothing is read again
--   known      [[terminal, journal, sequence, content in hex, use], …] for the keys ($4 terminal ids, $5 journals,
--              $6 sequences) that are recorded already
--   spent      nonces of $7 (with their $8 ends) that are spent
--   quotas     [[holder, rule, period, used], …] of the holders $9 in the periods that hold the day $3
--   withdrawn  issuer keys that were withdrawn
-- OFFSET 0 keeps each look-up inside its loop: it is by key, whatever size the planner believes the table to have. The periods
-- are a subquery of their own, so that they are written once and not for each holder.
SELECT
    (SELECT number FROM catalogue_revision) AS revision,
    (SELECT jsonb_object_agg(a.code, a.places) FROM catalogue_area_set a
     WHERE (SELECT number FROM catalogue_revision) <> $10::bigint)::text AS areas,
    (SELECT jsonb_agg(jsonb_build_array(
        t.id, w.item, t.state, c.state, p.id, p.state, p.division, p.operator_id,
        (SELECT jsonb_agg(jsonb_build_array(k.id, extract(epoch FROM k.valid_to))) FROM catalogue_terminal_key k
         WHERE k.terminal_id = t.id AND (k.valid_to IS NULL OR k.valid_to > now())),
        i.state, v.id, o.item_id IS NOT NULL, p.code, p.hours, to_jsonb(p.media), p.sponsor_id, o.capacity_count, t.attended))
     FROM (SELECT * FROM unnest($1::text::bigint[], $2::text::text[], $11::text::boolean[]) a (terminal_id, item, remembered)
           WHERE NOT remembered OR (SELECT number FROM catalogue_revision) <> $10::bigint) w
     JOIN catalogue_terminal t ON t.id = w.terminal_id
     JOIN catalogue_point p ON p.id = t.point_id
     JOIN catalogue_client c ON c.id = p.client_id
     LEFT JOIN catalogue_item i ON i.code = w.item
     LEFT JOIN catalogue_item_version v ON v.item_id = w.item AND v.stage IN ('published', 'ended')
          AND v.starts_on <= $3::date AND (v.ends_on IS NULL OR v.ends_on > $3::date)
     LEFT JOIN catalogue_offer o ON o.point_id = p.id AND o.item_id = w.item)::text AS places,
    (SELECT jsonb_agg(jsonb_build_array(j.terminal_id, j.journal, j.sequence, encode(j.content, 'hex'), j.use_id))
     FROM unnest($4::text::bigint[], $5::text::uuid[], $6::text::bigint[]) w (terminal_id, journal, sequence)
     CROSS JOIN LATERAL (
        SELECT * FROM uses_journal_key k
        WHERE (k.terminal_id, k.journal, k.sequence) = (w.terminal_id, w.journal, w.sequence) OFFSET 0) j)::text AS known,
    (SELECT array_agg(s.nonce) FROM unnest($7::text::bytea[], $8::timestamptz[]) w (nonce, expires)
     CROSS JOIN LATERAL (
        SELECT nonce FROM uses_spent_nonce n WHERE n.nonce = w.nonce AND n.expires = w.expires OFFSET 0) s) AS spent,
    (SELECT jsonb_agg(jsonb_build_array(q.holder_id, q.rule, q.period, q.used))
     FROM unnest($9::text::bigint[]) w (holder_id)
     CROSS JOIN LATERAL (
        SELECT * FROM entitlements_quota c WHERE c.holder_id = w.holder_id
           AND c.period = ANY ((SELECT ARRAY[to_char($3::date, 'YYYY-MM-DD'), to_char($3::date, 'YYYY-MM'), to_char($3::date, 'YYYY')])::text[])
         OFFSET 0
     ) q)::text AS quotas,
    (SELECT array_agg(kid) FROM ecards_key WHERE withdrawn_at IS NOT NULL) AS withdrawn
