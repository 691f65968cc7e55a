-- 0002: what people see and manage in the browser.

-- user: points are thousandths of a core's minute; a quota of 0 is none. gone_ms: the account was deleted; its name is free again.
ALTER TABLE user ADD COLUMN points INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN quota_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN quota_running INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN gone_ms INTEGER NOT NULL DEFAULT 0;

-- worker: tags are words separated by blanks. It sleeps from sleep_from to sleep_to, minutes of the day in the zone; equal: never.
ALTER TABLE worker ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN sleep_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worker ADD COLUMN sleep_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worker ADD COLUMN sleep_zone TEXT NOT NULL DEFAULT '';
ALTER TABLE worker ADD COLUMN points INTEGER NOT NULL DEFAULT 0;

-- session: points of this run; idle: how many times in a row it was told that there is nothing to do, idle_ms: when last.
ALTER TABLE session ADD COLUMN points INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN idle INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN idle_ms INTEGER NOT NULL DEFAULT 0;

-- lease: what it was worth.
ALTER TABLE lease ADD COLUMN points INTEGER NOT NULL DEFAULT 0;
CREATE INDEX lease_worker ON lease (worker, ended_ms) WHERE ended_ms > 0;

-- audience: whose workers may take a project's tasks, where not everybody's; one for each set of users (their ids in order). 0 is everybody.
CREATE TABLE audience (
	id      INTEGER PRIMARY KEY,
	members TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE audience_user (
	user     INTEGER NOT NULL REFERENCES user (id),
	audience INTEGER NOT NULL REFERENCES audience (id),
	PRIMARY KEY (user, audience)
) STRICT, WITHOUT ROWID;
INSERT INTO audience VALUES (0, '');
ALTER TABLE project ADD COLUMN audience INTEGER NOT NULL DEFAULT 0;

-- need: now with the audience.
CREATE TABLE need_for (
	id         INTEGER PRIMARY KEY,
	audience   INTEGER NOT NULL DEFAULT 0 REFERENCES audience (id),
	version    TEXT NOT NULL,
	device     INTEGER NOT NULL,
	memory_kib INTEGER NOT NULL,
	waiting    INTEGER NOT NULL DEFAULT 0,
	UNIQUE (audience, version, device, memory_kib)
) STRICT;
INSERT INTO need_for (id, version, device, memory_kib, waiting) SELECT id, version, device, memory_kib, waiting FROM need;
DROP TABLE need;
ALTER TABLE need_for RENAME TO need;
CREATE INDEX need_waiting ON need (memory_kib) WHERE waiting > 0;

-- project: who may look (private, link, users, everyone), the secret of its link, and what its results take on disk.
ALTER TABLE project ADD COLUMN access TEXT NOT NULL DEFAULT 'private' CHECK (access IN ('private', 'link', 'users', 'everyone'));
ALTER TABLE project ADD COLUMN link TEXT NOT NULL DEFAULT '';
ALTER TABLE project ADD COLUMN made_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX project_everyone ON project (id) WHERE access = 'everyone';

-- project_row: a project as people see it. shown: its state in their words.
CREATE VIEW project_row AS
SELECT p.id, p.owner, u.name AS owner_name, p.state, p.message, p.title, p.priority, p.archive_md5, p.archive_size, p.blend, p.scene, p.camera,
       p.animation, p.frame_start, p.frame_end, p.frame_step, p.rows, p.columns, p.overscan, p.width, p.height, p.percent, p.format, p.samples,
       p.engine, p.device, p.fps_num, p.fps_den, p.renderer, p.no_denoise, p.task_max_s, p.frames_total, p.frames_done, p.tasks_total, p.waiting,
       p.running, p.done, p.errors, p.memory_kib, p.render_s, p.tile_bytes, p.result, p.raw, p.created_ms, p.started_ms, p.finished_ms, p.access,
       p.link, p.made_bytes, p.audience,
       CASE p.state WHEN 'splitting' THEN 'waiting' WHEN 'active' THEN CASE WHEN p.done > 0 OR p.running > 0 THEN 'rendering' ELSE 'waiting' END
                    ELSE p.state END AS shown
  FROM project p JOIN user u ON u.id = p.owner;

-- viewer: the users that may look at a project whose access is 'users'.
CREATE TABLE viewer (
	project INTEGER NOT NULL REFERENCES project (id),
	user    INTEGER NOT NULL REFERENCES user (id),
	PRIMARY KEY (project, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX viewer_user ON viewer (user, project);

-- invitation: who holds it may register once; kept as keyed BLAKE2b like every secret.
CREATE TABLE invitation (
	id         INTEGER PRIMARY KEY,
	hash       BLOB NOT NULL UNIQUE,
	host       INTEGER NOT NULL REFERENCES user (id),
	roles      INTEGER NOT NULL,
	note       TEXT NOT NULL DEFAULT '',
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,
	used_ms    INTEGER NOT NULL DEFAULT 0,
	guest      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- visit: what a worker asked and was told where no lease says it: logins, nothing to do, refusals, reports. A ring of the newest per worker.
CREATE TABLE visit (
	worker INTEGER NOT NULL REFERENCES worker (id),
	slot   INTEGER NOT NULL,
	at_ms  INTEGER NOT NULL,
	kind   TEXT NOT NULL,
	answer INTEGER NOT NULL DEFAULT 0,
	lease  INTEGER NOT NULL DEFAULT 0,
	detail TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (worker, slot)
) STRICT, WITHOUT ROWID;
ALTER TABLE worker ADD COLUMN visits INTEGER NOT NULL DEFAULT 0;

-- program: the processes of the portal that are up; a row is true while a process with that pid began at that time.
CREATE TABLE program (
	pid        INTEGER PRIMARY KEY,
	name       TEXT NOT NULL,
	born       INTEGER NOT NULL,
	started_ms INTEGER NOT NULL
) STRICT;

-- import: a renderer archive on its way in: unpacked, probed and packed again, which takes a while.
CREATE TABLE import (
	id         INTEGER PRIMARY KEY,
	user       INTEGER NOT NULL REFERENCES user (id),
	name       TEXT NOT NULL,
	state      TEXT NOT NULL DEFAULT 'working' CHECK (state IN ('working', 'done', 'failed')),
	progress   INTEGER NOT NULL DEFAULT 0,
	message    TEXT NOT NULL DEFAULT '',
	renderer   INTEGER NOT NULL DEFAULT 0,
	pid        INTEGER NOT NULL DEFAULT 0,
	born       INTEGER NOT NULL DEFAULT 0,
	created_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_at ON audit (at_ms);

PRAGMA user_version = 2;
