-- Saves what only some items leave behind. Returns how many of the pass uses found their pass as it was decided on: fewer
-- means that another card of the holder came between, and the whole group is decided again. All parameters are JSON lists:
--   $1 journeys begun   {id, card_id, item, item_version_id, point, operator, sponsor, at, ends_by, purse, concession, hold_id, held_fen,
--                        borne_by}
--   $2 journeys ended   {id, ended_at, ended_by, shortfall_fen}: of those begun in this group; the others `end_journeys` ended before
--   $3 passes sold      {id, holder_id, item, sold_on, activate_by, lasts_days, uses}
--   $4 passes used      {use_id, pass_id, starts_on or null where it had begun}
--   $5 capacities       {point_id, rule, period, more}
WITH begun AS (
    INSERT INTO uses_journey (id, card_id, item, item_version_id, point, operator, sponsor, at, ends_by, purse, concession, hold_id, held_fen, ended_at, ended_by,
                              borne_by, shortfall_fen)
    SELECT j.id, j.card_id, j.item, j.item_version_id, j.point, j.operator, j.sponsor, j.at, j.ends_by, j.purse,
           j.concession, j.hold_id, j.held_fen, e.ended_at, e.ended_by, j.borne_by, coalesce(e.shortfall_fen, 0)
    FROM jsonb_to_recordset($1::jsonb) j (id uuid, card_id bigint, item text, item_version_id bigint, point text, operator text,
        sponsor text, at timestamptz, ends_by timestamptz, purse bigint, concession text, hold_id uuid, held_fen bigint,
        borne_by text)
    -- One begun and ended in the same group is written once, as it ended.
    LEFT JOIN jsonb_to_recordset($2::jsonb) e (id uuid, ended_at timestamptz, ended_by uuid, shortfall_fen bigint) ON e.id = j.id
), sold AS (
    INSERT INTO entitlements_pass (id, holder_id, item, sold_on, activate_by, lasts_days, starts_on, uses, uses_left)
    SELECT p.id, p.holder_id, p.item, p.sold_on, p.activate_by, p.lasts_days, u.starts_on, p.uses, p.uses - coalesce(u.times, 0)
    FROM jsonb_to_recordset($3::jsonb) p (id uuid, holder_id bigint, item text, sold_on date, activate_by date, lasts_days int, uses int)
    LEFT JOIN (SELECT pass_id, max(starts_on) AS starts_on, count(*) AS times
               FROM jsonb_to_recordset($4::jsonb) x (pass_id uuid, starts_on date) GROUP BY 1) u ON u.pass_id = p.id
    RETURNING id
), used AS (
    UPDATE entitlements_pass p SET starts_on = coalesce(p.starts_on, u.starts_on), uses_left = p.uses_left - u.times
    FROM (SELECT pass_id, max(starts_on) AS starts_on, count(*) AS times
          FROM jsonb_to_recordset($4::jsonb) x (pass_id uuid, starts_on date) GROUP BY 1) u
    WHERE p.id = u.pass_id AND NOT p.given_back AND (p.uses_left IS NULL OR p.uses_left >= u.times)
      AND (p.starts_on IS NULL) = (u.starts_on IS NOT NULL)
    RETURNING p.id
), served AS (
    INSERT INTO entitlements_pass_use (use_id, pass_id, started)
    SELECT use_id, pass_id, starts_on IS NOT NULL FROM jsonb_to_recordset($4::jsonb) x (use_id uuid, pass_id uuid, starts_on date)
), filled AS (
    UPDATE entitlements_capacity c SET used = c.used + w.more
    FROM jsonb_to_recordset($5::jsonb) w (point_id bigint, rule text, period text, more int)
    WHERE (c.point_id, c.rule, c.period) = (w.point_id, w.rule, w.period)
)
SELECT (SELECT count(*) FROM used) + (SELECT count(*) FROM sold s JOIN (
    SELECT DISTINCT pass_id FROM jsonb_to_recordset($4::jsonb) x (pass_id uuid)) u ON u.pass_id = s.id) AS passes
