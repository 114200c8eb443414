INSERT INTO ecards_ecard (serial, card_id, signed_at)
SELECT ecard_serial, card_id, now() - (card_id % 700) * interval '1 day' FROM cards_standing WHERE holder_id >= $1 AND ecard_serial IS NOT NULL
