-- 0009: chore: long work that somebody asked for in the browser and that the compositor has done: a renderer's archive unpacked, probed and packed again
-- (import), rows compared with files (check), everything removed (purge). what: what it was told, words. done of total, mended: how far it is; report: lines.

CREATE TABLE chore (
	id         INTEGER PRIMARY KEY,
	kind       TEXT NOT NULL CHECK (kind IN ('import', 'check', 'purge')),
	user       INTEGER NOT NULL REFERENCES user (id),
	name       TEXT NOT NULL DEFAULT '',
	what       TEXT NOT NULL DEFAULT '',
	state      TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'working', 'done', 'failed')),
	done       INTEGER NOT NULL DEFAULT 0,
	total      INTEGER NOT NULL DEFAULT 0,
	mended     INTEGER NOT NULL DEFAULT 0,
	message    TEXT NOT NULL DEFAULT '',
	report     TEXT NOT NULL DEFAULT '',
	created_ms INTEGER NOT NULL,
	ended_ms   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX chore_state ON chore (state, id);
CREATE INDEX chore_kind ON chore (kind, id);
DROP TABLE import;

PRAGMA user_version = 9;
