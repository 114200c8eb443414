-- Lists of uses that officers asked for, written by a job a part at a time, and kept for a day.
CREATE TABLE uses_export (
    id         uuid PRIMARY KEY,
    actor      text NOT NULL,                       -- who asked, and alone may fetch it
    places     text[] NOT NULL,                     -- the places in which they might, when they asked
    wanted     jsonb NOT NULL,
    language   text NOT NULL CHECK (language IN ('zh', 'en')),
    asked_at   timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'stopped')),
    position   uuid,                                -- the next part begins before this id
    parts      int NOT NULL DEFAULT 0,
    uses       bigint NOT NULL DEFAULT 0,           -- how many were written
    percent    int NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100)
);
CREATE INDEX uses_export_actor ON uses_export (actor, id);
CREATE INDEX uses_export_expires ON uses_export (expires_at);
CREATE TABLE uses_export_part (
    export_id uuid NOT NULL REFERENCES uses_export ON DELETE CASCADE,
    number    int NOT NULL,
    content   text NOT NULL,                        -- lines of a CSV
    PRIMARY KEY (export_id, number)
);
