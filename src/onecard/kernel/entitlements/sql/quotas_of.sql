-- What was counted for a holder in some periods, by rule. $1 holder, $2 periods.
SELECT rule, period, used FROM entitlements_quota WHERE holder_id = $1 AND period = ANY ($2::text[]) AND used > 0 ORDER BY rule, period
