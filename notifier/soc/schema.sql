-- The queue of `loginward run outputs`. Times are milliseconds since 1970 UTC.
CREATE TABLE IF NOT EXISTS items (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body BLOB NOT NULL,          -- the record, byte for byte
    severity TEXT NOT NULL,
    arrived INTEGER NOT NULL,    -- of the first revision
    changed INTEGER NOT NULL,    -- of this one
    looked INTEGER NOT NULL DEFAULT 0, -- the highest revision that was looked at for paging
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_unlooked ON items (changed) WHERE looked < revision;
CREATE INDEX IF NOT EXISTS items_changed ON items (changed);

-- Wanted minus sent: a row with `waiting` is owed to that output, whatever the others have.
CREATE TABLE IF NOT EXISTS deliveries (
    output TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,   -- the highest revision the output has taken
    waiting INTEGER,                   -- since when one is owed
    tries INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0,    -- not tried before
    PRIMARY KEY (output, kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (output, waiting, id, due)
    WHERE waiting IS NOT NULL;

-- Where reading goes on: in the transaction that stored what was read.
CREATE TABLE IF NOT EXISTS positions (
    topic_id TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (topic_id, partition)
) WITHOUT ROWID;

-- One row an outage of an output: from when on it owed too long, and what was said of it.
CREATE TABLE IF NOT EXISTS outages (
    output TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    told INTEGER NOT NULL              -- how many waited when that revision was made
) WITHOUT ROWID;

-- One page wakes people for one alert, or for all that were held back (digest).
CREATE TABLE IF NOT EXISTS pages (
    page INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                -- alert, incident, digest
    severity TEXT NOT NULL,
    made INTEGER NOT NULL,
    level INTEGER NOT NULL,            -- of the roster, the one paged last
    rounds INTEGER NOT NULL DEFAULT 0, -- how often a level was paged
    due INTEGER,                       -- when the next level is; NULL: it is over
    ended TEXT NOT NULL DEFAULT ''     -- acknowledged, unanswered
);
CREATE INDEX IF NOT EXISTS pages_due ON pages (due) WHERE due IS NOT NULL;

-- What became of each alert that was looked at for paging.
CREATE TABLE IF NOT EXISTS paged (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,             -- rule, system and subject: what is paged once a quiet time
    severity TEXT NOT NULL,
    made INTEGER NOT NULL,
    page INTEGER                       -- NULL: held for the next digest
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS paged_subject ON paged (subject, made);
CREATE INDEX IF NOT EXISTS paged_page ON paged (page);

-- What people were told of an incident; its name is the first alert it had then.
CREATE TABLE IF NOT EXISTS campaigns (
    name TEXT PRIMARY KEY,
    severity TEXT NOT NULL,
    hit INTEGER NOT NULL,              -- 1: also that an account was hit
    page INTEGER NOT NULL,             -- the last one
    made INTEGER NOT NULL
) WITHOUT ROWID;

-- Which incident an alert belongs to, as the topic `incidents` says it last; `made`: when it did.
CREATE TABLE IF NOT EXISTS members (
    alert TEXT PRIMARY KEY,
    incident TEXT NOT NULL,
    made INTEGER NOT NULL
) WITHOUT ROWID;

-- Each person of each round; tried channel by channel until one takes it.
CREATE TABLE IF NOT EXISTS calls (
    page INTEGER NOT NULL,
    round INTEGER NOT NULL,
    person TEXT NOT NULL,
    at INTEGER NOT NULL,
    way TEXT NOT NULL DEFAULT '',      -- the channel that took it; empty: none did
    PRIMARY KEY (page, round, person)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS acknowledgements (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,                  -- the alert
    revision INTEGER NOT NULL,
    severity TEXT NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS acknowledgements_id ON acknowledgements (id);
