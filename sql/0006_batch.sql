-- 0006: batches: ordered lists of projects, as recipes ask for them.

-- project: extra is what a recipe asks of a render beyond the settings, JSON, '' nothing; batch_job whose job it is, 0 nobody's.
ALTER TABLE project ADD COLUMN extra TEXT NOT NULL DEFAULT '';
ALTER TABLE project ADD COLUMN batch_job INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX project_batch_job ON project (batch_job) WHERE batch_job > 0;

-- upload: batch 1 came for a batch; it is forgotten with it.
ALTER TABLE upload ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX upload_user ON upload (user, name, created_ms);

-- batch: an ordered list of jobs; the newest of a user is the one that the API speaks of. recipe: as it came, without passwords; password: that of
-- its mail, sealed. local: it came without login, by the listener of this machine. open: something is still to be done. until_ms: a process is at it till then. ending: how much of what follows the last job is done.
CREATE TABLE batch (
	id          INTEGER PRIMARY KEY,
	owner       INTEGER NOT NULL REFERENCES user (id),
	name        TEXT NOT NULL,
	state       TEXT NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'RUNNING', 'FINISHED', 'CANCELLED')),
	recipe      TEXT NOT NULL,
	password    BLOB NOT NULL DEFAULT x'',
	messages    TEXT NOT NULL DEFAULT '',
	jobs        INTEGER NOT NULL,
	local       INTEGER NOT NULL DEFAULT 0,
	open        INTEGER NOT NULL DEFAULT 0,
	ending      INTEGER NOT NULL DEFAULT 0,
	until_ms    INTEGER NOT NULL DEFAULT 0,
	created_ms  INTEGER NOT NULL,
	started_ms  INTEGER NOT NULL DEFAULT 0,
	finished_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batch_owner ON batch (owner, id);
CREATE INDEX batch_open ON batch (until_ms) WHERE open = 1;

-- batch_job: one job of a batch. progress is in millionths and never goes back; engine what the renderer said last, JSON.
CREATE TABLE batch_job (
	id          INTEGER PRIMARY KEY,
	batch       INTEGER NOT NULL REFERENCES batch (id),
	number      INTEGER NOT NULL,
	name        TEXT NOT NULL,
	state       TEXT NOT NULL CHECK (state IN ('QUEUED', 'DISABLED', 'RUNNING', 'FINISHED', 'CANCELLED', 'FAILED')),
	project     INTEGER NOT NULL DEFAULT 0,
	progress    INTEGER NOT NULL DEFAULT 0,
	engine      TEXT NOT NULL DEFAULT '',
	message     TEXT NOT NULL DEFAULT '',
	started_ms  INTEGER NOT NULL DEFAULT 0,
	finished_ms INTEGER NOT NULL DEFAULT 0,
	UNIQUE (batch, number)
) STRICT;
CREATE INDEX batch_job_next ON batch_job (batch, number) WHERE state = 'QUEUED';
CREATE INDEX batch_job_running ON batch_job (batch) WHERE state = 'RUNNING';

-- lease: what the renderer says of itself, as our own worker tells it; JSON.
ALTER TABLE lease ADD COLUMN engine TEXT NOT NULL DEFAULT '';

-- project_row: now with extra.
DROP VIEW project_row;
CREATE VIEW project_row AS
SELECT p.id, p.owner, u.name AS owner_name, p.state, p.message, p.title, p.priority, p.archive_md5, p.archive_size, p.blend, p.scene, p.camera,
       p.animation, p.frame_start, p.frame_end, p.frame_step, p.rows, p.columns, p.overscan, p.width, p.height, p.percent, p.format, p.samples,
       p.engine, p.device, p.fps_num, p.fps_den, p.renderer, p.no_denoise, p.task_max_s, p.frames_total, p.frames_done, p.tasks_total, p.waiting,
       p.running, p.done, p.errors, p.memory_kib, p.render_s, p.tile_bytes, p.result, p.raw, p.created_ms, p.started_ms, p.finished_ms, p.access,
       p.link, p.made_bytes, p.audience,
       CASE p.state WHEN 'splitting' THEN 'waiting' WHEN 'active' THEN CASE WHEN p.done > 0 OR p.running > 0 THEN 'rendering' ELSE 'waiting' END
                    ELSE p.state END AS shown, p.points, p.extra
  FROM project p JOIN user u ON u.id = p.owner;

PRAGMA user_version = 6;
