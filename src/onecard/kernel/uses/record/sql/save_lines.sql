-- Saves what a group of a journal's lines leaves besides their uses: the lines, the counters that chips have shown, and how far
-- the journal is taken.
--   $1 terminal, $2 journal, $3 through, $4 chain
--   $5..$12  lines: use, sequence, our verdict, manual, by the gate's clock, correction_s, gate_paid_fen, oldest_list_s
--   $13..$16 more of them: double, shortfall_fen, borne_by, linked
--   $17, $18 and what a gate may have written: its verdict, a reason
--   $19..$22 what those came to whose use stands as refused: full_fen, paid_fen, waived_fen, concession
--   $23..$25 chips: card, highest counter, those seen from it down
--   $26      the journal of each line's key: $2, or one made of it where another line had that key before
WITH lines AS (
    INSERT INTO uses_offline_line (terminal_id, journal, use_id, sequence, verdict, manual, at_gate, correction_s, gate_paid_fen,
                                   oldest_list_s, double, shortfall_fen, borne_by, chain_state, gate_verdict, reason,
                                   stood_full_fen, stood_paid_fen, stood_waived_fen, stood_concession)
    SELECT $1::bigint, w.journal, w.use_id, w.sequence, w.verdict, w.manual, w.at_gate, w.correction_s, w.gate_paid_fen,
           w.oldest_list_s, w.double, w.shortfall_fen, w.borne_by, CASE WHEN w.linked THEN 'linked' ELSE 'apart' END, w.gate_verdict,
           w.reason, w.full_fen, w.paid_fen, w.waived_fen, w.concession
    FROM unnest($5::text::uuid[], $6::text::bigint[], $7::text::text[], $8::text::boolean[], $9::timestamptz[], $10::text::bigint[],
                $11::text::bigint[], $12::text::bigint[], $13::text::boolean[], $14::text::bigint[], $15::text::text[],
                $16::text::boolean[], $17::text[], $18::text[], $19::text::bigint[], $20::text::bigint[], $21::text::bigint[],
                $22::text::text[], $26::text::uuid[])
         w (use_id, sequence, verdict, manual, at_gate, correction_s, gate_paid_fen, oldest_list_s, double, shortfall_fen, borne_by,
            linked, gate_verdict, reason, full_fen, paid_fen, waived_fen, concession, journal)
), chips AS (
    UPDATE cards_standing s SET chip_counter = w.counter, chip_seen = w.seen::bit(256)
    FROM unnest($23::bigint[], $24::bigint[], $25::text[]) w (card_id, counter, seen) WHERE s.card_id = w.card_id
)
UPDATE uses_journal SET through = $3, chain = $4 WHERE (terminal_id, journal) = ($1, $2)
