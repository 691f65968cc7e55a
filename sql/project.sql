-- name: project_add
INSERT INTO project (owner, state, title, priority, archive_md5, archive_size, blend, scene, camera, animation, frame_start, frame_end, frame_step, rows,
  columns, overscan, width, height, percent, format, samples, engine, device, fps_num, fps_den, renderer, no_denoise, task_max_s, frames_total,
  tasks_total, created_ms)
VALUES (:owner, 'splitting', :title, :priority, :archive_md5, :archive_size, :blend, :scene, :camera, :animation, :frame_start, :frame_end,
  :frame_step, :rows, :columns, :overscan, :width, :height, :percent, :format, :samples, :engine, :device, :fps_num, :fps_den, :renderer, :no_denoise,
  :task_max_s, :frames_total, :tasks_total, :now_ms);

-- name: project_to_split
SELECT split, tasks_total, frame_start, frame_step, rows, columns FROM project WHERE id = :project AND state = 'splitting';

-- name: project_splitting
SELECT id FROM project WHERE state = 'splitting' AND created_ms < :before_ms ORDER BY id LIMIT 1;

-- name: task_add
INSERT INTO task (project, seq, frame, row, column) VALUES (:project, :seq, :frame, :row, :column);

-- name: project_split
UPDATE project SET split = :split, waiting = waiting + :more WHERE id = :project;

-- name: project_get
SELECT p.id, p.owner, u.name, p.state, p.message, p.title, p.priority, p.archive_md5, p.archive_size, p.blend, p.scene, p.camera, p.animation,
  p.frame_start, p.frame_end, p.frame_step, p.rows, p.columns, p.overscan, p.width, p.height, p.percent, p.format, p.samples, p.engine, p.device,
  p.fps_num, p.fps_den, p.renderer, p.no_denoise, p.task_max_s, p.frames_total, p.frames_done, p.tasks_total, p.waiting, p.running, p.done, p.errors,
  p.memory_kib, p.render_s, p.tile_bytes, p.result, p.raw, p.created_ms, p.started_ms, p.finished_ms
  FROM project p JOIN user u ON u.id = p.owner WHERE p.id = :project AND p.state <> 'deleted';

-- name: project_list
SELECT p.id, p.owner, u.name, p.state, p.message, p.title, p.priority, p.archive_md5, p.archive_size, p.blend, p.scene, p.camera, p.animation,
  p.frame_start, p.frame_end, p.frame_step, p.rows, p.columns, p.overscan, p.width, p.height, p.percent, p.format, p.samples, p.engine, p.device,
  p.fps_num, p.fps_den, p.renderer, p.no_denoise, p.task_max_s, p.frames_total, p.frames_done, p.tasks_total, p.waiting, p.running, p.done, p.errors,
  p.memory_kib, p.render_s, p.tile_bytes, p.result, p.raw, p.created_ms, p.started_ms, p.finished_ms
  FROM project p JOIN user u ON u.id = p.owner WHERE p.id < :before AND p.state <> 'deleted' ORDER BY p.id DESC LIMIT :limit;

-- name: project_list_own
SELECT p.id, p.owner, u.name, p.state, p.message, p.title, p.priority, p.archive_md5, p.archive_size, p.blend, p.scene, p.camera, p.animation,
  p.frame_start, p.frame_end, p.frame_step, p.rows, p.columns, p.overscan, p.width, p.height, p.percent, p.format, p.samples, p.engine, p.device,
  p.fps_num, p.fps_den, p.renderer, p.no_denoise, p.task_max_s, p.frames_total, p.frames_done, p.tasks_total, p.waiting, p.running, p.done, p.errors,
  p.memory_kib, p.render_s, p.tile_bytes, p.result, p.raw, p.created_ms, p.started_ms, p.finished_ms
  FROM project p JOIN user u ON u.id = p.owner WHERE p.owner = :owner AND p.id < :before AND p.state <> 'deleted' ORDER BY p.id DESC LIMIT :limit;

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
