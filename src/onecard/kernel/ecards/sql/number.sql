-- The e-card whose number was read aloud. $1 its digest under our key. No row: nobody's, or a newer one took its place.
SELECT ecard_id, nonce, expires_at FROM ecards_number WHERE digest = $1
