-- Figures that the worker counts every few minutes, so that a page reads a few hundred rows however large the city is.

-- Uses recorded on a day in China at points of a division, by item and verdict.
CREATE TABLE uses_day (
    day        date NOT NULL,
    division   varchar(6) NOT NULL,
    item       text NOT NULL,
    verdict    text NOT NULL,
    uses       bigint NOT NULL CHECK (uses > 0),
    PRIMARY KEY (day, division, item, verdict)
);
-- Days that were counted, also those without a use, and when.
CREATE TABLE uses_day_counted (
    day        date PRIMARY KEY,
    counted_at timestamptz NOT NULL DEFAULT now()
);
-- Holders registered in a division, with their cards by state, and the e-cards that stand on active ones.
CREATE TABLE uses_division (
    division   varchar(6) PRIMARY KEY,
    holders    bigint NOT NULL,
    ecards     bigint NOT NULL,
    states     jsonb NOT NULL,                      -- {"active": 12}
    counted_at timestamptz NOT NULL DEFAULT now()
);
