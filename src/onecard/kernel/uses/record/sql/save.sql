-- Saves a group. Numbers, ids and fixed words come as array literals (`::text::bigint[]`): the driver writes one text far
-- more cheaply than it writes a list. Returns how many keys and nonces were new, and what its quotas now count as
-- [[holder, rule, period, used], …]: fewer, or other than decided on, means that another process came
-- between (a holder may have two cards, and the lock is on the card), and the whole group is decided again.
-- Rows are inserted in key order so that two groups cannot deadlock.
--   $1..$11  uses: id, at, terminal, point, item, version, card, medium, verdict, full_fen, paid_fen; $12 concession
--   $13..$15 their keys: journal, sequence, content (with $3 terminal and $1 id)
--   $16, $17 spent nonces and the ends of their windows
--   $18, $19 cards and their new chip counters
--   $20..$23 quotas: holder, rule, period, how many more
--   $24..$26 risk facts: kind, subject, detail
--   $27..$32 transfers: id, debit, credit, amount in fen, code, use; $33 how many. All are posted, none is a hold.
--   $34, $35 more of the uses: waived_fen, leg
-- The last column names what the ledger refused although the fold allowed it: a fault of ours.
WITH uses AS (
    INSERT INTO uses_use (id, at, terminal_id, point_id, item, item_version_id, card_id, medium, verdict, full_fen, paid_fen, concession,
                          waived_fen, leg)
    SELECT * FROM unnest($1::text::uuid[], $2::timestamptz[], $3::text::bigint[], $4::text::bigint[], $5::text::text[],
                         $6::text::bigint[], $7::text::bigint[], $8::text::text[], $9::text::text[], $10::text::bigint[],
                         $11::text::bigint[], $12::text::text[], $34::text::bigint[], $35::text::text[])
), keys AS (
    INSERT INTO uses_journal_key (terminal_id, journal, sequence, use_id, content)
    SELECT terminal_id, journal, sequence, id, content
    FROM unnest($3::text::bigint[], $13::text::uuid[], $14::text::bigint[], $1::text::uuid[], $15::text::bytea[])
         w (terminal_id, journal, sequence, id, content)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING RETURNING 1
), spent AS (
    INSERT INTO uses_spent_nonce (nonce, expires)
    SELECT * FROM unnest($16::text::bytea[], $17::timestamptz[]) w (nonce, expires) ORDER BY 1
    ON CONFLICT DO NOTHING RETURNING 1
), grown AS (
    UPDATE cards_standing s SET chip_counter = w.counter,
           chip_seen = (s.chip_seen >> least(w.counter - s.chip_counter, 256)::int) | (1::bit(256) << 255)
    FROM unnest($18::bigint[], $19::bigint[]) w (card_id, counter) WHERE s.card_id = w.card_id
), counted AS (
    INSERT INTO entitlements_quota AS q (holder_id, rule, period, used)
    SELECT * FROM unnest($20::text::bigint[], $21::text::text[], $22::text::text[], $23::text::int[]) w (holder_id, rule, period, more) ORDER BY 1, 2, 3
    ON CONFLICT (holder_id, rule, period) DO UPDATE SET used = q.used + excluded.used
    RETURNING holder_id, rule, period, used
), risks AS (
    INSERT INTO audit_risk_fact (kind, subject, detail)
    SELECT kind, subject, detail::jsonb FROM unnest($24::text[], $25::text[], $26::text[]) w (kind, subject, detail)
)
SELECT (SELECT count(*) FROM keys), (SELECT count(*) FROM spent),
       (SELECT jsonb_agg(jsonb_build_array(holder_id, rule, period, used)) FROM counted)::text,
       CASE WHEN $33::int > 0 THEN (
           SELECT string_agg(DISTINCT outcome, ', ')
           FROM ledger_post($27::text::uuid[], $28::text::bigint[], $29::text::bigint[], $30::text::bigint[],
                            array_fill('posted'::text, ARRAY[$33::int]), $31::text::text[],
                            array_fill(NULL::uuid, ARRAY[$33::int]), array_fill(NULL::timestamptz, ARRAY[$33::int]),
                            $32::text::uuid[])
       ) END
