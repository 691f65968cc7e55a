-- name: project_add
INSERT INTO project (owner, state, title, priority, archive_md5, archive_size, blend, scene, camera, animation, frame_start, frame_end, frame_step, rows,
  columns, overscan, width, height, percent, format, samples, engine, device, fps_num, fps_den, renderer, no_denoise, task_max_s, frames_total,
  tasks_total, extra, batch_job, created_ms)
VALUES (:owner, 'splitting', :title, :priority, :archive_md5, :archive_size, :blend, :scene, :camera, :animation, :frame_start, :frame_end,
  :frame_step, :rows, :columns, :overscan, :width, :height, :percent, :format, :samples, :engine, :device, :fps_num, :fps_den, :renderer, :no_denoise,
  :task_max_s, :frames_total, :tasks_total, :extra, :batch_job, :now_ms);

-- name: project_to_split
SELECT split, tasks_total, frame_start, frame_step, rows, columns FROM project WHERE id = :project AND state = 'splitting';

-- name: project_splitting
SELECT id FROM project WHERE state = 'splitting' AND created_ms < :before_ms ORDER BY id LIMIT 1;

-- name: task_add
INSERT INTO task (project, seq, frame, row, column) VALUES (:project, :seq, :frame, :row, :column);

-- name: project_split
UPDATE project SET split = :split, waiting = waiting + :more WHERE id = :project;

-- name: project_get
SELECT * FROM project_row WHERE id = :project AND state <> 'deleted';

-- name: project_is_over
SELECT count(*) FROM project WHERE id = :project AND state = 'finished' AND finished_ms < :before_ms;

-- name: project_list
-- All projects, newest first.
SELECT * FROM project_row WHERE id < :before AND state <> 'deleted' ORDER BY id DESC LIMIT :limit;

-- name: project_list_seen
-- Those that one user may look at: their own, everyone's, and those that were opened to them.
SELECT * FROM project_row
 WHERE id IN (SELECT id FROM project WHERE owner = :user AND id < :before UNION ALL SELECT id FROM project WHERE access = 'everyone' AND id < :before
              UNION ALL SELECT project FROM viewer WHERE user = :user AND project < :before)
   AND state <> 'deleted' ORDER BY id DESC LIMIT :limit;

-- name: project_search
-- scan: from the newest project back until a page is full; people ask for it by hand
SELECT * FROM project_row p
 WHERE id < :before AND state <> 'deleted'
   AND (:user = 0 OR owner = :user OR access = 'everyone' OR EXISTS (SELECT 1 FROM viewer v WHERE v.user = :user AND v.project = p.id))
   AND (:owner = '' OR owner_name = :owner) AND (:state = '' OR shown = :state)
   AND (:words = '' OR title LIKE :words ESCAPE '!' OR id = :number)
 ORDER BY id DESC LIMIT :limit;

-- name: project_counts
-- How many projects there are in each state, of those that one user may look at (:user 0: all).
-- scan: all projects, for the first page of a list; asked at most every few seconds
SELECT shown, count(*) FROM project_row p
 WHERE state <> 'deleted' AND (:user = 0 OR owner = :user OR access = 'everyone' OR EXISTS (SELECT 1 FROM viewer v WHERE v.user = :user AND v.project = p.id))
 GROUP BY shown;

-- name: project_viewer
SELECT count(*) FROM viewer WHERE project = :project AND user = :user;

-- name: viewer_list
-- scan: sorts the viewers of one project
SELECT u.name FROM viewer v JOIN user u ON u.id = v.user WHERE v.project = :project ORDER BY u.name LIMIT 1000;

-- name: viewer_add
INSERT INTO viewer (project, user) VALUES (:project, :user) ON CONFLICT DO NOTHING;

-- name: viewer_forget
DELETE FROM viewer WHERE project = :project;

-- name: project_access
UPDATE project SET access = :access, link = :link WHERE id = :project;

-- name: product_last
-- How far a project's result and zip are, in thousandths.
SELECT kind, state, progress, why FROM product WHERE project = :project AND kind IN ('result', 'zip') AND frame = -1;

-- name: project_state
UPDATE project SET state = :state, message = :message,
  finished_ms = CASE WHEN :state IN ('finished', 'failed', 'cancelled') THEN :now_ms ELSE finished_ms END WHERE id = :project;

-- name: project_priority
UPDATE project SET priority = :priority WHERE id = :project;

-- name: project_forgive
-- A project goes on; one that had not all of its tasks yet is split on first.
UPDATE project SET errors = 0, message = '', finished_ms = 0, state = CASE WHEN split < tasks_total THEN 'splitting' ELSE 'active' END WHERE id = :project;

-- name: task_forgive
-- scan: the waiting tasks of one project, when a person tries it again
UPDATE task SET tries = 0, memory_kib = 0 WHERE project = :project AND state = 'waiting' AND (tries > 0 OR memory_kib > 0);

-- name: shun_forgive
-- scan: the waiting tasks of one project, when a person tries it again
DELETE FROM shun WHERE task IN (SELECT id FROM task WHERE project = :project AND state = 'waiting');

-- name: frame_page
-- Frames from after :after to :last with what their tiles are doing.
SELECT t.frame, count(*), sum(t.state = 'done'), sum(t.state = 'leased'), sum(t.tries > 0 AND t.state <> 'done'), max(t.finished_ms), coalesce(f.ext, ''),
       EXISTS (SELECT 1 FROM product r WHERE r.project = :project AND r.kind = 'preview' AND r.frame = t.frame AND r.state = 'done')
  FROM task t LEFT JOIN frame f ON f.project = t.project AND f.frame = t.frame
 WHERE t.project = :project AND t.frame > :after AND t.frame <= :last AND t.state <> 'replaced' GROUP BY t.frame ORDER BY t.frame;

-- name: frame_tiles
-- The tiles of one frame with the lease that holds or brought each. Nothing waits in a project that failed: what was tried there has failed.
SELECT t.row, t.column, CASE WHEN t.state = 'waiting' AND t.tries > 0 AND (SELECT state FROM project WHERE id = :project) = 'failed' THEN 'failed' ELSE t.state END, t.tries, t.size, coalesce(l.id, 0), coalesce(w.id, 0), coalesce(w.name, ''), coalesce(l.since_ms, 0), coalesce(l.progress, 0),
       coalesce(l.render_s, 0), coalesce(l.memory_kib, 0)
  FROM task t LEFT JOIN lease l ON l.id = CASE t.state WHEN 'done' THEN t.lease ELSE t.holder END LEFT JOIN worker w ON w.id = l.worker
 WHERE t.project = :project AND t.frame = :frame AND t.state <> 'replaced' ORDER BY t.row, t.column;

-- name: frame_leases
-- Who had a task of this frame, newest first.
-- scan: sorts the leases of one frame
SELECT l.id, t.row, t.column, coalesce(w.id, 0), coalesce(w.name, ''), l.state, l.since_ms, l.ended_ms, l.render_s, l.memory_kib, l.outcome, l.log, l.points
  FROM task t JOIN lease l ON (l.task = t.id AND l.ended_ms > 0) OR l.id = t.holder LEFT JOIN worker w ON w.id = l.worker
 WHERE t.project = :project AND t.frame = :frame ORDER BY l.id DESC LIMIT 500;

-- name: frame_points
-- What the pictures that count were worth.
SELECT coalesce(sum(l.points), 0) FROM task t JOIN lease l ON l.id = t.lease WHERE t.project = :project AND t.frame = :frame AND t.state = 'done';

-- name: frame_preview
-- The first frame of a project that has a preview.
SELECT frame FROM product WHERE project = :project AND kind = 'preview' AND state = 'done' ORDER BY frame LIMIT 1;

-- name: project_failures
-- The newest failed leases of a project.
SELECT l.id, l.outcome, l.ended_ms, l.worker, t.frame, l.log FROM lease l JOIN task t ON t.id = l.task
 WHERE l.project = :project AND l.state = 'failed' ORDER BY l.ended_ms DESC LIMIT 1000;

-- name: lease_log_of
SELECT log FROM lease WHERE id = :lease AND project = :project;

-- name: tile_of
-- The tile that counts at a place.
SELECT lease, ext FROM task WHERE project = :project AND frame = :frame AND row = :row AND column = :column AND state = 'done';

-- name: frame_ext_of
SELECT ext FROM frame WHERE project = :project AND frame = :frame AND ext <> '';

-- name: tile_bytes_less
-- What the tiles of one frame take is about to be free.
UPDATE project SET tile_bytes = tile_bytes - coalesce((SELECT sum(t.size) FROM task t WHERE t.project = :project AND t.frame = :frame AND t.state = 'done'), 0)
 WHERE id = :project;

-- name: task_replace
-- The delivered tiles of one frame don't count any more.
UPDATE task SET state = 'replaced' WHERE project = :project AND frame = :frame AND state = 'done';

-- name: task_rerender
-- New tasks in place of those: they come first in line, and old leases can't touch them.
INSERT INTO task (project, seq, frame, row, column)
SELECT t.project, t.seq, t.frame, t.row, t.column FROM task t WHERE t.project = :project AND t.frame = :frame AND t.state = 'replaced'
   AND NOT EXISTS (SELECT 1 FROM task n WHERE n.project = t.project AND n.frame = t.frame AND n.row = t.row AND n.column = t.column AND n.state <> 'replaced')
 GROUP BY t.row, t.column;

-- name: frame_rerender
UPDATE frame SET tiles = tiles - :count, ext = '' WHERE project = :project AND frame = :frame;

-- name: product_frame_forget
DELETE FROM product WHERE project = :project AND frame = :frame AND kind IN ('preview', 'stitch');

-- name: product_result_forget
DELETE FROM product WHERE project = :project AND kind IN ('result', 'zip');

-- name: project_rerender
-- It renders again; its old result is gone.
UPDATE project SET state = CASE WHEN state = 'paused' THEN state ELSE 'active' END, result = '', raw = 0, message = '', finished_ms = 0, errors = 0,
  frames_done = frames_done - :frames WHERE id = :project;
