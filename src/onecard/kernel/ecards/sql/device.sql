-- The e-card a device may show, and which issuer key signs codes now. $1 bytea: SHA-256 of its token. No row: unknown, expired,
-- revoked, or the e-card is closed. It waits for whoever is revoking it.
SELECT device.id AS device_id, device.last_used_at, ecard.serial, standing.card_id, standing.card_state, standing.social_security,
       standing.financial, standing.transit, standing.classes,
       (SELECT id FROM ecards_key WHERE purpose = 'codes' AND sign_from IS NOT NULL AND sign_to IS NULL) AS signs,
       standing.issuing_place, device.tie_id IS NOT NULL AS family
FROM ecards_device AS device
JOIN ecards_ecard AS ecard ON ecard.serial = device.ecard_id
JOIN cards_standing AS standing ON standing.card_id = ecard.card_id
WHERE device.token_digest = $1 AND device.revoked_at IS NULL AND device.expires_at > now() AND ecard.closed_at IS NULL
FOR SHARE OF device
