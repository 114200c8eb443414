-- What clients asked of the department API. A call's id is the trace that its answer carried, a UUIDv7, whose moment is the
-- call's. Neither path nor query nor body is kept, for they may say whose data it was. No reference to the client: a thousand
-- rows a second would queue on its row.
CREATE TABLE sharing_call (
    client_id  bigint NOT NULL,
    id         uuid NOT NULL,
    credential text NOT NULL,
    method     text NOT NULL,
    operation  text NOT NULL,
    status     smallint NOT NULL,
    code       text,                        -- of a problem
    took_ms    int NOT NULL CHECK (took_ms >= 0),
    PRIMARY KEY (client_id, id)
) PARTITION BY RANGE (id);
CREATE TABLE sharing_call_default PARTITION OF sharing_call DEFAULT;
CREATE INDEX sharing_call_status ON sharing_call (client_id, status, id);

INSERT INTO foundation_partitioned VALUES ('sharing_call', '1 day', true, 7, 30, false);
SELECT make_partitions();

-- A credential's end comes nearer and never moves away: who takes over the process that clients turn theirs over in revives
-- none.
CREATE FUNCTION sharing_credential_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.valid_to IS NOT NULL AND (NEW.valid_to IS NULL OR NEW.valid_to > OLD.valid_to) THEN
        RAISE EXCEPTION 'ENDS_ONCE: credential % ends at %', OLD.client_id, OLD.valid_to
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ends_once BEFORE UPDATE ON sharing_credential FOR EACH ROW EXECUTE FUNCTION sharing_credential_ends_once();
