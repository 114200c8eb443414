-- Passes, capacity and the holder's order of ways to pay. No foreign keys: the gateway writes here under its own locks
-- and may not see holders.

-- A pass (套票、年卡): sold by a use of the item that declares it, good from its first use or by itself after `activate_by`.
CREATE TABLE entitlements_pass (
    id          uuid PRIMARY KEY,                   -- beside the id of the use that sold it
    holder_id   bigint NOT NULL,
    item        text NOT NULL,                      -- the item that sold it
    sold_on     date NOT NULL,
    activate_by date NOT NULL CHECK (activate_by >= sold_on),
    lasts_days  int NOT NULL CHECK (lasts_days > 0),
    starts_on   date,                               -- NULL: waits for its first use
    uses        int,                                -- how often it was sold to serve; NULL: without limit
    uses_left   int,
    given_back  boolean NOT NULL DEFAULT false,
    CONSTRAINT left_of_those_sold CHECK (uses_left BETWEEN 0 AND uses),
    CONSTRAINT limited_or_not CHECK ((uses IS NULL) = (uses_left IS NULL))
);
CREATE INDEX entitlements_pass_holder ON entitlements_pass (holder_id) WHERE NOT given_back;

-- Which use a pass served; `started` when it was the first.
CREATE TABLE entitlements_pass_use (
    use_id  uuid PRIMARY KEY,
    pass_id uuid NOT NULL REFERENCES entitlements_pass,
    started boolean NOT NULL
);
CREATE INDEX entitlements_pass_use_pass ON entitlements_pass_use (pass_id);

-- Uses counted at a point under a rule in a period, written as in `entitlements_quota`. The row is locked by every group that
-- counts in it.
CREATE TABLE entitlements_capacity (
    point_id bigint NOT NULL,
    rule     text NOT NULL,
    period   text NOT NULL,
    used     int NOT NULL CHECK (used >= 0),
    PRIMARY KEY (point_id, rule, period)
);

-- The order in which a holder wants an item paid, where it differs from the item's.
CREATE TABLE entitlements_means (
    holder_id bigint NOT NULL,
    item      text NOT NULL,
    means     text[] NOT NULL CHECK (cardinality(means) > 0 AND means <@ ARRAY['purse', 'bank']),
    PRIMARY KEY (holder_id, item)
);
