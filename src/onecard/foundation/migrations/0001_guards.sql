-- Guards and helpers that every primitive's tables share. They know no card and no person.

-- Refuses any change of an append-only table: what happened is corrected only by another fact.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'APPEND_ONLY: % on % is refused; correct a fact by adding another', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- The smallest UUIDv7 (RFC 9562) of a moment: the bound of a partition.
CREATE FUNCTION uuid7_floor(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;

-- The moment in a UUIDv7, to the millisecond.
CREATE FUNCTION uuid7_moment(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_timestamp(('x' || lpad(translate(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0);

-- The n-th id beside another, in the same millisecond: `foundation.ids.beside`.
CREATE FUNCTION uuid7_beside(id uuid, n int) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (left(translate(id::text, '-', ''), 16) || (
    SELECT lpad(to_hex((low & ~mask) | ((low + n) & mask)), 16, '0')
    FROM (SELECT ('x' || right(translate(id::text, '-', ''), 16))::bit(64)::bigint AS low, (1::bigint << 62) - 1 AS mask) parts))::uuid;

-- Every partitioned table names its step here; `make_partitions` keeps them supplied ahead of time.
CREATE TABLE foundation_partitioned (
    parent      text PRIMARY KEY,
    step        interval NOT NULL CHECK (step IN ('1 day', '1 month')),
    by_uuid     boolean NOT NULL,           -- the key is a UUIDv7, not a timestamptz
    ahead       int NOT NULL CHECK (ahead > 0),
    keep_days   int,                        -- partitions that ended longer ago are dropped; NULL keeps for ever
    append_only boolean NOT NULL
);

-- Makes the missing partitions from the current step to `ahead` steps later and drops those past keeping.
-- Steps are calendar steps of Asia/Shanghai. Returns what it made and dropped; running it twice changes nothing.
CREATE FUNCTION make_partitions() RETURNS TABLE (action text, partition text) LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    wanted foundation_partitioned;
    opens timestamp; closes timestamp; name text; old record;
BEGIN
    FOR wanted IN SELECT * FROM foundation_partitioned ORDER BY parent LOOP
        FOR n IN -1 .. wanted.ahead LOOP
            opens := date_trunc(CASE wanted.step WHEN '1 day' THEN 'day' ELSE 'month' END,
                                now() AT TIME ZONE 'Asia/Shanghai') + n * wanted.step;
            closes := opens + wanted.step;
            name := wanted.parent || '_' || to_char(opens, CASE wanted.step WHEN '1 day' THEN 'YYYYMMDD' ELSE 'YYYYMM' END);
            CONTINUE WHEN to_regclass(quote_ident(name)) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', name, wanted.parent,
                CASE WHEN wanted.by_uuid THEN uuid7_floor(opens AT TIME ZONE 'Asia/Shanghai')::text
                     ELSE (opens AT TIME ZONE 'Asia/Shanghai')::text END,
                CASE WHEN wanted.by_uuid THEN uuid7_floor(closes AT TIME ZONE 'Asia/Shanghai')::text
                     ELSE (closes AT TIME ZONE 'Asia/Shanghai')::text END);
            IF wanted.append_only THEN
                EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I EXECUTE FUNCTION refuse_change()', name);
            END IF;
            action := 'made'; partition := name; RETURN NEXT;
        END LOOP;
        IF wanted.keep_days IS NOT NULL THEN
            -- A partition's name ends in the day or month it begins with.
            FOR old IN
                SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = to_regclass(quote_ident(wanted.parent)) AND c.relname ~ '_(\d{6}|\d{8})$'
                  AND to_date(rpad(substring(c.relname FROM '_(\d+)$'), 8, '01'), 'YYYYMMDD') + wanted.step
                      < (now() AT TIME ZONE 'Asia/Shanghai') - make_interval(days => wanted.keep_days)
            LOOP
                EXECUTE format('DROP TABLE %I', old.relname);
                action := 'dropped'; partition := old.relname; RETURN NEXT;
            END LOOP;
        END IF;
    END LOOP;
END $$;

-- Rows that fell into a default partition: none, unless nobody made partitions in time. `onecard check` alarms.
CREATE FUNCTION rows_in_default_partitions() RETURNS TABLE (parent text, stray bigint) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    FOR parent IN SELECT p.parent FROM foundation_partitioned p ORDER BY 1 LOOP
        EXECUTE format('SELECT count(*) FROM %I', parent || '_default') INTO stray;
        RETURN NEXT;
    END LOOP;
END $$;

-- SECURITY DEFINER functions look only into the city's own schema (a city is a schema).
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION make_partitions() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION rows_in_default_partitions() SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE ALL ON FUNCTION make_partitions(), rows_in_default_partitions() FROM PUBLIC;
