-- 0001: the farm's state. Times are Unix milliseconds, sizes bytes unless the name says KiB. One line of prose a table on why it exists.

-- sequence: ids that must never be given out twice, not even after power loss; taken in blocks.
CREATE TABLE sequence (
	name TEXT PRIMARY KEY,
	next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sequence VALUES ('lease', 1000);

-- setting: what an admin changed at run time; stands before the settings file.
CREATE TABLE setting (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- user: somebody who owns things. roles: 1 admin, 2 submitter, 4 worker. running counts their leased tasks; load is running ÷ weight × 1000000.
CREATE TABLE user (
	id          INTEGER PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
	password    TEXT NOT NULL DEFAULT '',
	roles       INTEGER NOT NULL,
	disabled    INTEGER NOT NULL DEFAULT 0,
	weight      INTEGER NOT NULL DEFAULT 100 CHECK (weight > 0),
	running     INTEGER NOT NULL DEFAULT 0,
	created_ms  INTEGER NOT NULL
) STRICT;

-- secret: worker keys, API tokens and browser logins: 256 random bits each, kept as keyed BLAKE2b and found by it.
CREATE TABLE secret (
	id           INTEGER PRIMARY KEY,
	kind         TEXT NOT NULL CHECK (kind IN ('key', 'token', 'login')),
	hash         BLOB NOT NULL UNIQUE,
	user         INTEGER NOT NULL REFERENCES user (id),
	name         TEXT NOT NULL DEFAULT '',
	scope        TEXT NOT NULL DEFAULT '',
	csrf         TEXT NOT NULL DEFAULT '',
	created_ms   INTEGER NOT NULL,
	last_used_ms INTEGER NOT NULL DEFAULT 0,
	expires_ms   INTEGER NOT NULL DEFAULT 0,
	revoked_ms   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX secret_user ON secret (user, kind);
CREATE INDEX secret_expires ON secret (expires_ms) WHERE expires_ms > 0;

-- failure: refused logins, so that guessing can be limited by account and by address. Swept after an hour.
CREATE TABLE failure (
	id    INTEGER PRIMARY KEY,
	who   TEXT NOT NULL,
	at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX failure_who ON failure (who, at_ms);
CREATE INDEX failure_at ON failure (at_ms);

-- worker: a machine of a user. broken counts refused pictures in a row; aside_until_ms > now means: set aside, and aside says why.
CREATE TABLE worker (
	id             INTEGER PRIMARY KEY,
	user           INTEGER NOT NULL REFERENCES user (id),
	identity       TEXT NOT NULL,
	name           TEXT NOT NULL,
	os             TEXT NOT NULL,
	bits           TEXT NOT NULL,
	cpu            TEXT NOT NULL,
	cores          INTEGER NOT NULL,
	ram_kib        INTEGER NOT NULL,
	gpu            TEXT NOT NULL DEFAULT '',
	version        TEXT NOT NULL,
	broken         INTEGER NOT NULL DEFAULT 0,
	errors_from_ms INTEGER NOT NULL DEFAULT 0,
	aside_until_ms INTEGER NOT NULL DEFAULT 0,
	aside          TEXT NOT NULL DEFAULT '',
	disabled       INTEGER NOT NULL DEFAULT 0,
	frames         INTEGER NOT NULL DEFAULT 0,
	render_s       INTEGER NOT NULL DEFAULT 0,
	created_ms     INTEGER NOT NULL,
	seen_ms        INTEGER NOT NULL,
	UNIQUE (user, identity)
) STRICT;
CREATE INDEX worker_seen ON worker (seen_ms);

-- session: one run of a worker's client: its cookie, kept as keyed BLAKE2b. own: our client, which holds short leases.
CREATE TABLE session (
	id         INTEGER PRIMARY KEY,
	hash       BLOB NOT NULL UNIQUE,
	user       INTEGER NOT NULL REFERENCES user (id),
	key        INTEGER NOT NULL REFERENCES secret (id),
	worker     INTEGER NOT NULL REFERENCES worker (id),
	version    TEXT NOT NULL,
	own        INTEGER NOT NULL,
	os         TEXT NOT NULL,
	bits       TEXT NOT NULL,
	cores      INTEGER NOT NULL,
	ram_kib    INTEGER NOT NULL,
	ended_ms   INTEGER NOT NULL DEFAULT 0,
	created_ms INTEGER NOT NULL,
	seen_ms    INTEGER NOT NULL,
	frames     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX session_seen ON session (seen_ms) WHERE ended_ms = 0;
CREATE INDEX session_ended ON session (ended_ms) WHERE ended_ms > 0;
CREATE INDEX session_worker ON session (worker, seen_ms);

-- renderer: a Blender build for one OS and architecture, kept as the zip that clients download (its MD5 is its name).
-- caps: 1 Cycles, 2 a denoiser, 4 GPU; NULL where it could not be asked.
CREATE TABLE renderer (
	id         INTEGER PRIMARY KEY,
	md5        TEXT NOT NULL,
	sha256     TEXT NOT NULL DEFAULT '',
	version    TEXT NOT NULL,
	os         TEXT NOT NULL,
	bits       TEXT NOT NULL,
	caps       INTEGER,
	size       INTEGER NOT NULL,
	removed    INTEGER NOT NULL DEFAULT 0,
	created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX renderer_platform ON renderer (os, bits, version) WHERE removed = 0;
CREATE INDEX renderer_md5 ON renderer (md5);

-- need: what a session must offer for a group of projects; there are as many as differ, a few dozen.
-- version '' = any renderer; device 0 any, 1 CPU, 2 GPU; memory_kib is rounded down to a sixteenth of its octave.
CREATE TABLE need (
	id         INTEGER PRIMARY KEY,
	version    TEXT NOT NULL,
	device     INTEGER NOT NULL,
	memory_kib INTEGER NOT NULL,
	waiting    INTEGER NOT NULL DEFAULT 0,
	UNIQUE (version, device, memory_kib)
) STRICT;
CREATE INDEX need_waiting ON need (memory_kib) WHERE waiting > 0;

-- queue: the waiting work of one owner with one need. load is the owner's; priority and project are those of the project to lend from next.
CREATE TABLE queue (
	id       INTEGER PRIMARY KEY,
	owner    INTEGER NOT NULL REFERENCES user (id),
	need     INTEGER NOT NULL REFERENCES need (id),
	waiting  INTEGER NOT NULL DEFAULT 0,
	load     INTEGER NOT NULL DEFAULT 0,
	priority INTEGER NOT NULL DEFAULT 0,
	project  INTEGER NOT NULL DEFAULT 0,
	UNIQUE (owner, need)
) STRICT;
CREATE INDEX queue_next ON queue (need, load, priority DESC, project) WHERE waiting > 0;
CREATE INDEX queue_owner ON queue (owner) WHERE waiting > 0;

-- project: a scene archive plus settings. waiting, running and done count its tasks, in the transactions that change them.
CREATE TABLE project (
	id           INTEGER PRIMARY KEY,
	owner        INTEGER NOT NULL REFERENCES user (id),
	queue        INTEGER REFERENCES queue (id),
	state        TEXT NOT NULL CHECK (state IN ('splitting', 'active', 'paused', 'composing', 'finished', 'failed', 'cancelled', 'deleted')),
	message      TEXT NOT NULL DEFAULT '',
	title        TEXT NOT NULL,
	priority     INTEGER NOT NULL DEFAULT 0,
	archive_md5  TEXT NOT NULL,
	archive_size INTEGER NOT NULL,
	blend        TEXT NOT NULL,
	scene        TEXT NOT NULL DEFAULT '',
	camera       TEXT NOT NULL DEFAULT '',
	animation    INTEGER NOT NULL,
	frame_start  INTEGER NOT NULL CHECK (frame_start BETWEEN 0 AND 1048574),
	frame_end    INTEGER NOT NULL CHECK (frame_end BETWEEN frame_start AND 1048574),
	frame_step   INTEGER NOT NULL CHECK (frame_step > 0),
	rows         INTEGER NOT NULL CHECK (rows BETWEEN 1 AND 64),
	columns      INTEGER NOT NULL CHECK (columns BETWEEN 1 AND 64),
	overscan     INTEGER NOT NULL CHECK (overscan BETWEEN 0 AND 256),
	width        INTEGER NOT NULL CHECK (width > 0),
	height       INTEGER NOT NULL CHECK (height > 0),
	percent      INTEGER NOT NULL,
	format       TEXT NOT NULL,
	samples      INTEGER NOT NULL DEFAULT 0,
	engine       TEXT NOT NULL DEFAULT '',
	device       INTEGER NOT NULL DEFAULT 0,
	fps_num      INTEGER NOT NULL,
	fps_den      INTEGER NOT NULL,
	renderer     TEXT NOT NULL DEFAULT '',
	no_denoise   INTEGER NOT NULL DEFAULT 0,
	task_max_s   INTEGER NOT NULL DEFAULT 0,
	frames_total INTEGER NOT NULL,
	frames_done  INTEGER NOT NULL DEFAULT 0,
	tasks_total  INTEGER NOT NULL,
	split        INTEGER NOT NULL DEFAULT 0,
	waiting      INTEGER NOT NULL DEFAULT 0,
	running      INTEGER NOT NULL DEFAULT 0,
	done         INTEGER NOT NULL DEFAULT 0,
	errors       INTEGER NOT NULL DEFAULT 0,
	memory_kib   INTEGER NOT NULL DEFAULT 0,
	render_s     INTEGER NOT NULL DEFAULT 0,
	tile_bytes   INTEGER NOT NULL DEFAULT 0,
	raw_asked    INTEGER NOT NULL DEFAULT 0,
	result       TEXT NOT NULL DEFAULT '',
	raw          INTEGER NOT NULL DEFAULT 0,
	created_ms   INTEGER NOT NULL,
	started_ms   INTEGER NOT NULL DEFAULT 0,
	finished_ms  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX project_next ON project (queue, priority DESC, id) WHERE state = 'active' AND waiting > 0;
CREATE INDEX project_owner ON project (owner, id);
CREATE INDEX project_archive ON project (archive_md5);
CREATE INDEX project_state ON project (state, id);
CREATE INDEX project_finished ON project (finished_ms) WHERE state = 'finished';

-- task: one thing to render: a frame, or one tile of it (row 0 on top). holder: the lease that renders it now; lease: the one whose file counts.
-- memory_kib: what it needs at least, since it died of memory; black: the lease that brought an all-black picture first.
CREATE TABLE task (
	id          INTEGER PRIMARY KEY,
	project     INTEGER NOT NULL REFERENCES project (id),
	seq         INTEGER NOT NULL,
	frame       INTEGER NOT NULL,
	row         INTEGER NOT NULL,
	column      INTEGER NOT NULL,
	state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'leased', 'done', 'replaced')),
	holder      INTEGER NOT NULL DEFAULT 0,
	lease       INTEGER NOT NULL DEFAULT 0,
	tries       INTEGER NOT NULL DEFAULT 0,
	memory_kib  INTEGER NOT NULL DEFAULT 0,
	black       INTEGER NOT NULL DEFAULT 0,
	ext         TEXT NOT NULL DEFAULT '',
	size        INTEGER NOT NULL DEFAULT 0,
	finished_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX task_next ON task (project, seq) WHERE state = 'waiting';
CREATE INDEX task_place ON task (project, frame, row, column);

-- shun: workers that should not get a task again while others can take it: they failed it, or brought it black.
CREATE TABLE shun (
	task   INTEGER NOT NULL REFERENCES task (id),
	worker INTEGER NOT NULL REFERENCES worker (id),
	PRIMARY KEY (task, worker)
) STRICT, WITHOUT ROWID;

-- lease: one lending of a task to a session; stays as history. Its id is the job id of the worker protocol.
-- asked: how often its session has asked for more since.
CREATE TABLE lease (
	id         INTEGER PRIMARY KEY,
	task       INTEGER NOT NULL REFERENCES task (id),
	project    INTEGER NOT NULL REFERENCES project (id),
	session    INTEGER NOT NULL,
	worker     INTEGER NOT NULL REFERENCES worker (id),
	key        INTEGER NOT NULL REFERENCES secret (id),
	renderer   INTEGER NOT NULL REFERENCES renderer (id),
	state      TEXT NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'delivered', 'failed', 'expired', 'returned', 'cancelled', 'late')),
	gpu        INTEGER NOT NULL DEFAULT 0,
	asked      INTEGER NOT NULL DEFAULT 0,
	since_ms   INTEGER NOT NULL,
	until_ms   INTEGER NOT NULL,
	hard_ms    INTEGER NOT NULL,
	ended_ms   INTEGER NOT NULL DEFAULT 0,
	render_s   INTEGER NOT NULL DEFAULT 0,
	left_s     INTEGER NOT NULL DEFAULT 0,
	progress   INTEGER NOT NULL DEFAULT 0,
	memory_kib INTEGER NOT NULL DEFAULT 0,
	outcome    TEXT NOT NULL DEFAULT '',
	log        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX lease_until ON lease (until_ms) WHERE state = 'live';
CREATE INDEX lease_session ON lease (session) WHERE state = 'live';
CREATE INDEX lease_task ON lease (task);
CREATE INDEX lease_failed ON lease (worker, ended_ms) WHERE state = 'failed';
CREATE INDEX lease_project_failed ON lease (project, ended_ms) WHERE state = 'failed';
CREATE INDEX lease_project_live ON lease (project) WHERE state = 'live';

-- frame: how many tiles of a frame are there; a row comes with its first tile. ext: that of the stitched file, '' before.
CREATE TABLE frame (
	project INTEGER NOT NULL REFERENCES project (id),
	frame   INTEGER NOT NULL,
	tiles   INTEGER NOT NULL DEFAULT 0,
	ext     TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (project, frame)
) STRICT, WITHOUT ROWID;

-- product: something the compositor makes. rank orders the kinds (0 preview, 1 stitch, 2 result, 3 zip), turn the projects among each other.
CREATE TABLE product (
	id          INTEGER PRIMARY KEY,
	project     INTEGER NOT NULL REFERENCES project (id),
	kind        TEXT NOT NULL CHECK (kind IN ('preview', 'stitch', 'result', 'zip')),
	frame       INTEGER NOT NULL DEFAULT -1,
	state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'making', 'done', 'failed')),
	rank        INTEGER NOT NULL,
	turn        INTEGER NOT NULL,
	tries       INTEGER NOT NULL DEFAULT 0,
	until_ms    INTEGER NOT NULL DEFAULT 0,
	why         TEXT NOT NULL DEFAULT '',
	progress    INTEGER NOT NULL DEFAULT 0,
	finished_ms INTEGER NOT NULL DEFAULT 0,
	UNIQUE (project, kind, frame)
) STRICT;
CREATE INDEX product_next ON product (rank, turn, id) WHERE state = 'waiting';
CREATE INDEX product_until ON product (until_ms) WHERE state = 'making';
CREATE INDEX product_open ON product (project, kind) WHERE state IN ('waiting', 'making');
CREATE INDEX product_failed ON product (project) WHERE state = 'failed';

-- upload: a resumable upload on its way in; its bytes lie in spool/incoming/upload-<id>.
CREATE TABLE upload (
	id         TEXT PRIMARY KEY,
	user       INTEGER NOT NULL REFERENCES user (id),
	name       TEXT NOT NULL,
	size       INTEGER NOT NULL,
	project    INTEGER NOT NULL DEFAULT 0,
	created_ms INTEGER NOT NULL,
	seen_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_seen ON upload (seen_ms);

-- event: one line of the change feed, written in the transaction that makes it. Swept after a day.
CREATE TABLE event (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	at_ms   INTEGER NOT NULL,
	project INTEGER NOT NULL,
	kind    TEXT NOT NULL,
	task    INTEGER NOT NULL DEFAULT 0,
	lease   INTEGER NOT NULL DEFAULT 0,
	detail  TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX event_at ON event (at_ms);

-- audit: what people with power did.
CREATE TABLE audit (
	id     INTEGER PRIMARY KEY,
	at_ms  INTEGER NOT NULL,
	user   INTEGER NOT NULL DEFAULT 0,
	action TEXT NOT NULL,
	detail TEXT NOT NULL DEFAULT ''
) STRICT;

PRAGMA user_version = 1;
