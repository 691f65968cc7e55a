-- name: upload_idle
-- Uploads that got nothing for too long.
SELECT id FROM upload WHERE seen_ms < :before_ms LIMIT 100;

-- name: upload_forget
DELETE FROM upload WHERE id = :id;

-- name: renderer_unneeded
-- Files of removed renderers that no live lease needs, nor another row of the same file.
-- scan: the removed ones of a few dozen rows
SELECT id, md5 FROM renderer r WHERE removed = 1
   AND NOT EXISTS (SELECT 1 FROM renderer o WHERE o.md5 = r.md5 AND o.removed = 0)
   AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.state = 'live' AND l.renderer = r.id);

-- name: renderer_swept
-- Asked again: the same archive may have been added since.
UPDATE renderer AS r SET removed = 2 WHERE id = :id AND removed = 1
   AND NOT EXISTS (SELECT 1 FROM renderer o WHERE o.md5 = r.md5 AND o.removed = 0);

-- name: project_over
-- Finished so long ago that nobody is promised to find them any more.
SELECT id FROM project WHERE state = 'finished' AND finished_ms < :before_ms LIMIT 100;

-- name: project_to_purge
-- Deleted ones whose tasks are still rows.
-- scan: the deleted projects, one index probe each
SELECT id FROM project p WHERE p.state = 'deleted' AND EXISTS (SELECT 1 FROM task t WHERE t.project = p.id) LIMIT 20;

-- name: shun_purge
DELETE FROM shun WHERE task IN (SELECT t.id FROM task t WHERE t.project = :project AND t.holder = 0
  AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.task = t.id AND l.ended_ms > 0 AND l.ended_ms > :before_ms) ORDER BY t.frame, t.row, t.column LIMIT 2000);

-- name: lease_purge
-- A late upload for a deleted project must still find its lease, for a week.
DELETE FROM lease WHERE ended_ms > 0 AND task IN (SELECT t.id FROM task t WHERE t.project = :project AND t.holder = 0
  AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.task = t.id AND l.ended_ms > 0 AND l.ended_ms > :before_ms) ORDER BY t.frame, t.row, t.column LIMIT 2000);

-- name: task_purge
DELETE FROM task WHERE id IN (SELECT t.id FROM task t WHERE t.project = :project AND t.holder = 0
  AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.task = t.id AND l.ended_ms > 0 AND l.ended_ms > :before_ms) ORDER BY t.frame, t.row, t.column LIMIT 2000);

-- name: frame_purge
DELETE FROM frame WHERE project = :project AND NOT EXISTS (SELECT 1 FROM task t WHERE t.project = :project);

-- name: tile_replaced
-- Pictures whose frames were rendered again.
SELECT id, project, frame, row, column, lease, ext FROM task WHERE state = 'replaced' AND size > 0 AND finished_ms < :before_ms ORDER BY finished_ms LIMIT 100;

-- name: tile_swept
UPDATE task SET size = 0 WHERE id = :task AND state = 'replaced';

-- name: batch_old
-- Those that ended long ago, but never the newest one of their user, which the batch API still speaks of.
SELECT id, '' FROM batch b WHERE open = 0 AND finished_ms > 0 AND finished_ms < :before_ms AND EXISTS (SELECT 1 FROM batch n WHERE n.owner = b.owner AND n.id > b.id)
 ORDER BY finished_ms LIMIT 100;

-- name: batch_sweep
DELETE FROM batch WHERE id = :batch;

-- name: batch_sweep_jobs
DELETE FROM batch_job WHERE batch = :batch;
