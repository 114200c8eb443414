INSERT INTO uses_bank_order (id, kind, terminal_id, journal, sequence, content, card_id, bank_id, token, item, amount_fen, state,
                             use_id, asked_at, answered_at, next_try_at, alarmed_at)
SELECT (left(id::text, 34) || '0a')::uuid, 'payment', terminal_id, id, 1, '\x00', card_id, 1, 'tok', item, 500,
       CASE WHEN stuck THEN 'approved' ELSE 'captured' END, CASE WHEN NOT stuck THEN id END, at, at, at, CASE WHEN stuck THEN at END
FROM (SELECT *, abs(hashtext(id::text)) / 100 % 20000 = 7 AS stuck FROM uses_use
      WHERE id >= $1 AND id < $2 AND verdict = 'ADMITTED' AND abs(hashtext(id::text)) % 100 = 7) w
