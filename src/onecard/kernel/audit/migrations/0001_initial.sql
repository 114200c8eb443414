CREATE TABLE audit_fact (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL CHECK (actor <> ''),
    verb text NOT NULL CHECK (verb <> ''),
    subject text NOT NULL,
    place varchar(6) NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}'
);
-- The sealer walks this order; what is told of a subject walks the next, newest first. The trail walks the other three: who looks
-- through it may see some places only, so each begins with what narrows, then the place, and gives the newest of every place that
-- there is. The last finds the ids between which days lie.
CREATE INDEX audit_fact_xid_id ON audit_fact (xid, id);
CREATE INDEX audit_fact_subject_id ON audit_fact (subject, id);
CREATE INDEX audit_fact_place_id ON audit_fact (place, id);
CREATE INDEX audit_fact_verb_place_id ON audit_fact (verb, place, id);
CREATE INDEX audit_fact_actor_verb_place_id ON audit_fact (actor, verb, place, id);
CREATE INDEX audit_fact_at ON audit_fact (at);

CREATE TABLE audit_risk_fact (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL CHECK (kind <> ''),
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    window_from timestamptz,                -- of what a job looked back on: the window it stands for; NULL: raised at once
    UNIQUE (kind, subject, window_from)     -- once for a subject and window, however often the job looks
);
CREATE INDEX audit_risk_fact_kind_id ON audit_risk_fact (kind, id);
CREATE INDEX audit_risk_fact_subject_id ON audit_risk_fact (subject, id);

-- The kinds of risk as declared in the files of the scenarios: words, advice, and what a job looks at.
CREATE TABLE audit_risk_kind (
    kind text PRIMARY KEY,
    severity text NOT NULL CHECK (severity IN ('high', 'medium', 'low')),
    declaration jsonb NOT NULL,
    loaded_by text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now()
);

-- What officers made of a risk fact, step by step.
CREATE TABLE audit_risk_follow (
    risk_id bigint NOT NULL,
    number int NOT NULL CHECK (number > 0),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL CHECK (starts_with(actor, 'staff:') OR starts_with(actor, 'system:')),
    state text NOT NULL CHECK (state IN ('looked_at', 'dismissed', 'acted')),
    reason text NOT NULL CHECK (reason <> '' OR state = 'looked_at'),
    PRIMARY KEY (risk_id, number)
);

-- Where each risk fact stands: drawn from facts and follow-ups by the two triggers below, which alone write it, so that a
-- page of the open ones is found by an index among millions that are closed.
CREATE TABLE audit_risk_state (
    risk_id bigint PRIMARY KEY,
    kind text NOT NULL,
    place varchar(6) NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'looked_at', 'dismissed', 'acted')),
    follows int NOT NULL
);
CREATE INDEX audit_risk_state_page ON audit_risk_state (kind, state, risk_id) INCLUDE (place);

CREATE FUNCTION audit_open_risk() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit_risk_state (risk_id, kind, place, state, follows)
    VALUES (NEW.id, NEW.kind, left(coalesce(NEW.detail ->> 'place', ''), 6), 'open', 0);
    RETURN NULL;
END $$;
CREATE TRIGGER open_risk AFTER INSERT ON audit_risk_fact FOR EACH ROW EXECUTE FUNCTION audit_open_risk();

CREATE FUNCTION audit_follow_risk() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF EXISTS (SELECT FROM audit_risk_fact WHERE id = NEW.risk_id AND subject = NEW.actor) THEN
        RAISE EXCEPTION 'RISK_OWN: it is about the officer' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    UPDATE audit_risk_state SET state = NEW.state, follows = NEW.number
    WHERE risk_id = NEW.risk_id AND follows = NEW.number - 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'RISK_FOLLOWED: somebody else followed it up meanwhile' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER follow_risk AFTER INSERT ON audit_risk_follow FOR EACH ROW EXECUTE FUNCTION audit_follow_risk();
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION audit_open_risk() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION audit_follow_risk() SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION audit_open_risk(), audit_follow_risk() FROM PUBLIC;

-- How far the job that looks for bulk looking has looked: every fact up to `through` was counted in the transaction that wrote it.
CREATE TABLE audit_look_position (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    through xid8 NOT NULL
);
INSERT INTO audit_look_position (through) VALUES ('0');

CREATE TABLE audit_seal (
    number bigint PRIMARY KEY CHECK (number > 0),
    xid_from xid8 NOT NULL,
    xid_to xid8 NOT NULL,
    facts integer NOT NULL CHECK (facts > 0),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    previous bytea NOT NULL CHECK (length(previous) = 32),
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (xid_from < xid_to)
);

CREATE TABLE audit_anchor (
    day date PRIMARY KEY,
    seal bigint NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    key_id integer NOT NULL,
    signature bytea NOT NULL CHECK (length(signature) = 64)
);

-- Lists of facts that officers asked for, written by a job a part at a time, and kept for a day.
CREATE TABLE audit_export (
    id uuid PRIMARY KEY,
    actor text NOT NULL,                            -- who asked, and alone may fetch it
    places text[] NOT NULL,                         -- the places in which they might, when they asked
    wanted jsonb NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'stopped')),
    newest bigint,                                  -- the fact it begins with; NULL before the first part
    position bigint,                                -- the next part begins before this id
    parts int NOT NULL DEFAULT 0,
    facts bigint NOT NULL DEFAULT 0,                -- how many were written
    percent int NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100)
);
CREATE INDEX audit_export_actor ON audit_export (actor, id);
CREATE INDEX audit_export_expires ON audit_export (expires_at);
CREATE TABLE audit_export_part (
    export_id uuid NOT NULL REFERENCES audit_export ON DELETE CASCADE,
    number int NOT NULL,
    content text NOT NULL,                          -- lines of a CSV
    PRIMARY KEY (export_id, number)
);

-- Verifications of the chain: a job recomputes the seals a part at a time, so that one that was killed goes on.
CREATE TABLE audit_verification (
    id uuid PRIMARY KEY,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,                            -- NULL while it is under way
    seals bigint NOT NULL,                          -- up to this one
    checked bigint NOT NULL DEFAULT 0,              -- up to this one it was recomputed
    reached bigint NOT NULL DEFAULT 0,              -- the last of them that was there
    sealed_to xid8 NOT NULL DEFAULT '0',
    digest bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(digest) = 32),
    findings jsonb NOT NULL DEFAULT '[]'
);

-- A process writes facts in its own name: residents' web in a resident's, officers' web in an officer's, the gateway in a
-- terminal's, the API in a client's, the worker in the system's. Whoever takes a process over cannot lay what they do at another's door. A role's
-- name may end in a suffix. Migrations and commands of the owner are bound to nothing; who may read is the golden table's.
ALTER TABLE audit_fact ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_all ON audit_fact FOR SELECT USING (true);
CREATE POLICY in_own_name ON audit_fact FOR INSERT WITH CHECK (starts_with(actor, CASE
    WHEN starts_with(current_user, 'onecard_public') THEN 'holder:'
    WHEN starts_with(current_user, 'onecard_staff') THEN 'staff:'
    WHEN starts_with(current_user, 'onecard_gateway') THEN 'terminal:'
    WHEN starts_with(current_user, 'onecard_api') THEN 'client:'
    WHEN starts_with(current_user, 'onecard_worker') THEN 'system:'
END));

-- For each statement, not each row: even a change that matches nothing is refused.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_fact
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_risk_fact
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_risk_follow
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_anchor
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
