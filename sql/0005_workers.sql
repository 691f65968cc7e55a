-- 0005: what workers earn, when they ask next, who set them aside, and who may come through the other farm's door.

-- project: what its accepted pictures were worth, in thousandths of a point.
ALTER TABLE project ADD COLUMN points INTEGER NOT NULL DEFAULT 0;
DROP VIEW project_row;
CREATE VIEW project_row AS
SELECT p.id, p.owner, u.name AS owner_name, p.state, p.message, p.title, p.priority, p.archive_md5, p.archive_size, p.blend, p.scene, p.camera,
       p.animation, p.frame_start, p.frame_end, p.frame_step, p.rows, p.columns, p.overscan, p.width, p.height, p.percent, p.format, p.samples,
       p.engine, p.device, p.fps_num, p.fps_den, p.renderer, p.no_denoise, p.task_max_s, p.frames_total, p.frames_done, p.tasks_total, p.waiting,
       p.running, p.done, p.errors, p.memory_kib, p.render_s, p.tile_bytes, p.result, p.raw, p.created_ms, p.started_ms, p.finished_ms, p.access,
       p.link, p.made_bytes, p.audience,
       CASE p.state WHEN 'splitting' THEN 'waiting' WHEN 'active' THEN CASE WHEN p.done > 0 OR p.running > 0 THEN 'rendering' ELSE 'waiting' END
                    ELSE p.state END AS shown, p.points
  FROM project p JOIN user u ON u.id = p.owner;

-- session.next_ms: when it is expected to ask for a job again; 0: it renders, or nobody can tell. Found in the index alone, soonest first.
ALTER TABLE session ADD COLUMN next_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX session_next ON session (next_ms, user, worker, os, bits, ram_kib, ended_ms) WHERE next_ms > 0 AND ended_ms = 0;

-- worker.aside_by: who set it aside, 0 the farm itself.
ALTER TABLE worker ADD COLUMN aside_by INTEGER NOT NULL DEFAULT 0;

-- door: addresses from which somebody has logged in at the other farm's listener, which knows neither cookies nor tokens.
CREATE TABLE door (
	address  TEXT PRIMARY KEY,
	user     INTEGER NOT NULL REFERENCES user (id),
	until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 5;
