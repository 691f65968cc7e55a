-- 0007: the launcher's runs.

-- run: a solver run of one host, from the queue to history. The launcher of that host is the only one that writes its rows.
-- ncpu and memory_bytes are what it may use; position is its place among the queued; shown: kept in the front-end's terminals until removed there.
-- code: the last solver stop code sent. paused_ms: how long it was suspended.
CREATE TABLE run (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	host         TEXT NOT NULL,
	state        TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'ended')),
	status       TEXT NOT NULL,
	shown        INTEGER NOT NULL,
	input        TEXT NOT NULL,
	solver       TEXT NOT NULL,
	expr         TEXT NOT NULL,
	command      TEXT NOT NULL,
	memory       TEXT NOT NULL,
	sender       TEXT NOT NULL,
	ncpu         INTEGER NOT NULL,
	memory_bytes INTEGER NOT NULL,
	priority     INTEGER NOT NULL,
	position     INTEGER NOT NULL,
	clean        INTEGER NOT NULL,
	pid          INTEGER NOT NULL DEFAULT 0,
	cores        TEXT NOT NULL DEFAULT '',
	code         TEXT NOT NULL DEFAULT '',
	message      TEXT NOT NULL DEFAULT '',
	boot         TEXT NOT NULL DEFAULT '',
	current      REAL,
	ends_at      REAL,
	progress     REAL,
	mass         REAL,
	mass_pct     REAL,
	created_ms   INTEGER NOT NULL,
	started_ms   INTEGER NOT NULL DEFAULT 0,
	ended_ms     INTEGER NOT NULL DEFAULT 0,
	paused_ms    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX run_host ON run (host, id);
CREATE INDEX run_shown ON run (host, position, id) WHERE shown = 1;

CREATE VIEW run_row AS
SELECT id, host, state, status, shown, input, solver, expr, command, memory, sender, ncpu, memory_bytes, priority, position, clean, pid, cores, code,
       message, boot, current, ends_at, progress, mass, mass_pct, created_ms, started_ms, ended_ms, paused_ms
  FROM run;

PRAGMA user_version = 7;
