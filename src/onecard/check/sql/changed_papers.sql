-- Of the paper codes $1 (serials int[]), those that were issued, revoked or lapsed, or whose card or e-card changed, since $2
-- (timestamptz).
SELECT p.serial
FROM ecards_paper_code p
JOIN ecards_ecard e ON e.serial = p.ecard_id
LEFT JOIN cards_standing c ON c.card_id = e.card_id
WHERE p.serial = ANY ($1::int[])
  AND (greatest(p.issued_at, p.revoked_at, e.signed_at, e.closed_at, c.updated_at) >= $2
       OR p.expires_at BETWEEN $2 AND now())
