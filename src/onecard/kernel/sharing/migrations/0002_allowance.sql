-- How much of its allowance a client has taken, by scope. Unlogged: a request costs no disk, and after a crash everybody begins
-- anew, which harms nobody.
CREATE UNLOGGED TABLE sharing_allowance (
    client_id   bigint NOT NULL,
    scope       text NOT NULL,
    spent_until timestamptz NOT NULL,           -- when all that was taken is given back
    PRIMARY KEY (client_id, scope)
) WITH (fillfactor = 50);
