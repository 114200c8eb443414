INSERT INTO uses_offline_line (use_id, terminal_id, journal, sequence, verdict, gate_verdict, manual, at_gate, correction_s,
                               gate_paid_fen, oldest_list_s, double, shortfall_fen, chain_state, recorded_at)
SELECT id, terminal_id, md5(terminal_id::text)::uuid, row_number() OVER (PARTITION BY terminal_id ORDER BY id),
       CASE WHEN hash % 20 = 3 THEN 'FUNDS_SHORT' ELSE 'ADMITTED' END, 'ADMITTED', hash % 50 = 1, at, 0, paid_fen, 60,
       hash % 200 = 5, 0, 'linked', at
FROM (SELECT u.*, abs(hashtext(u.id::text)) / 33 AS hash FROM uses_use u
      WHERE u.id >= $1 AND u.id < $2 AND u.verdict = 'ADMITTED' AND abs(hashtext(u.id::text)) % 33 = 0) w
