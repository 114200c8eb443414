INSERT INTO audit_fact (at, actor, verb, subject, place, reason, detail)
SELECT $2::timestamptz + n * $3 * interval '1 second', 'staff:' || 1 + n % 200,
       (ARRAY['holders.read', 'holders.read', 'holders.reveal', 'cards.report_lost', 'uses.explain', 'ledger.read', 'sharing.disclose',
              'holders.correct'])[1 + n % 8], 'holder:' || $4 + (n * 7919) % $5,
       (ARRAY['320613', '320612', '320614', '320685', '320623', '320681', '320682'])[1 + n % 7], 'bench', '{}'
FROM generate_series(1, $1::bigint) n
