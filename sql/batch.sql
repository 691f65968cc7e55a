-- name: batch_add
INSERT INTO batch (owner, name, recipe, password, jobs, local, created_ms) VALUES (:owner, :name, :recipe, :password, :jobs, :local, :now_ms);

-- name: batch_job_add
INSERT INTO batch_job (batch, number, name, state) VALUES (:batch, :number, :name, :state);

-- name: batch_newest
SELECT b.id, b.owner, u.name, b.name, b.state, b.jobs, b.ending, b.local, b.created_ms, b.started_ms, b.finished_ms
  FROM batch b JOIN user u ON u.id = b.owner WHERE b.owner = :owner ORDER BY b.id DESC LIMIT 1;

-- name: batch_get
SELECT b.id, b.owner, u.name, b.name, b.state, b.jobs, b.ending, b.local, b.created_ms, b.started_ms, b.finished_ms
  FROM batch b JOIN user u ON u.id = b.owner WHERE b.id = :batch;

-- name: batch_list
SELECT b.id, b.owner, u.name, b.name, b.state, b.jobs, b.ending, b.local, b.created_ms, b.started_ms, b.finished_ms
  FROM batch b JOIN user u ON u.id = b.owner WHERE b.id < :before ORDER BY b.id DESC LIMIT :limit;

-- name: batch_list_of
SELECT b.id, b.owner, u.name, b.name, b.state, b.jobs, b.ending, b.local, b.created_ms, b.started_ms, b.finished_ms
  FROM batch b JOIN user u ON u.id = b.owner WHERE b.owner = :owner AND b.id < :before ORDER BY b.id DESC LIMIT :limit;

-- name: batch_recipe
SELECT recipe, password FROM batch WHERE id = :batch;

-- name: batch_messages
SELECT messages FROM batch WHERE id = :batch;

-- name: batch_say
UPDATE batch SET messages = messages || :line || char(10) WHERE id = :batch AND length(messages) < 20000 AND instr(char(10) || messages, char(10) || :line || char(10)) = 0;

-- name: batch_job_list
SELECT id, batch, number, name, state, project, progress, engine, message, started_ms, finished_ms FROM batch_job WHERE batch = :batch ORDER BY number;

-- name: batch_job_get
SELECT id, batch, number, name, state, project, progress, engine, message, started_ms, finished_ms FROM batch_job WHERE batch = :batch AND number = :number;

-- name: batch_job_running
SELECT number, project FROM batch_job WHERE batch = :batch AND state = 'RUNNING';

-- name: batch_job_next
SELECT number FROM batch_job WHERE batch = :batch AND state = 'QUEUED' ORDER BY number LIMIT 1;

-- name: batch_replace
-- A recipe that was not started goes when another one comes.
DELETE FROM batch WHERE owner = :owner AND state = 'WAITING';

-- name: batch_replace_jobs
DELETE FROM batch_job WHERE batch IN (SELECT id FROM batch WHERE owner = :owner AND state = 'WAITING');

-- name: batch_start
UPDATE batch SET state = 'RUNNING', open = 1, until_ms = 0, started_ms = :now_ms WHERE id = :batch AND state = 'WAITING';

-- name: batch_finish
UPDATE batch SET state = 'FINISHED', finished_ms = :now_ms WHERE id = :batch AND state = 'RUNNING';

-- name: batch_cancel
UPDATE batch SET state = 'CANCELLED', finished_ms = :now_ms, until_ms = 0 WHERE id = :batch AND state = 'RUNNING';

-- name: batch_cancel_queued
UPDATE batch_job SET state = 'CANCELLED' WHERE batch = :batch AND state = 'QUEUED';

-- name: batch_open
SELECT 1 FROM batch WHERE open = 1 AND until_ms < :now_ms LIMIT 1;

-- name: batch_take
-- One whose next step is due: nothing runs, or what ran has ended.
UPDATE batch SET until_ms = :until_ms
 WHERE id = (SELECT b.id FROM batch b WHERE b.open = 1 AND b.until_ms < :now_ms AND NOT EXISTS
              (SELECT 1 FROM batch_job j JOIN project p ON p.id = j.project
                WHERE j.batch = b.id AND j.state = 'RUNNING' AND b.state = 'RUNNING' AND p.state IN ('splitting', 'active', 'paused', 'composing'))
              ORDER BY b.until_ms LIMIT 1)
RETURNING id;

-- name: batch_rest
UPDATE batch SET until_ms = :until_ms WHERE id = :batch;

-- name: batch_hold
-- Not when it has just been let go.
UPDATE batch SET until_ms = :until_ms WHERE id = :batch AND until_ms > 0;

-- name: batch_ending
UPDATE batch SET ending = :ending, open = CASE WHEN :over THEN 0 ELSE 1 END, password = CASE WHEN :over THEN x'' ELSE password END WHERE id = :batch;

-- name: batch_job_begin
UPDATE batch_job SET state = 'RUNNING', started_ms = :now_ms WHERE id = :job AND state = 'QUEUED';

-- name: batch_job_project
UPDATE batch_job SET project = :project WHERE id = :job AND state = 'RUNNING';

-- name: batch_job_end
UPDATE batch_job SET state = :state, message = :message, progress = CASE WHEN :state = 'FINISHED' THEN 100000000 ELSE progress END, finished_ms = :now_ms,
       engine = coalesce((SELECT l.engine FROM task t JOIN lease l ON l.id = t.lease WHERE t.project = batch_job.project AND l.engine <> '' ORDER BY t.frame DESC LIMIT 1), engine)
 WHERE id = :job AND state = 'RUNNING';

-- name: batch_job_progress
UPDATE batch_job SET progress = max(progress, :progress), engine = :engine WHERE id = :job AND state = 'RUNNING';

-- name: batch_project
-- The project that was made for a job.
SELECT id FROM project WHERE batch_job = :job AND batch_job > 0;

-- name: batch_live
-- What is being rendered of a project right now.
-- scan: the live leases, as many as tasks are on loan
SELECT coalesce(sum(progress), 0), count(*), coalesce(max(engine), '') FROM lease WHERE state = 'live' AND project = :project;

-- name: batch_project_forget
UPDATE project SET batch_job = 0 WHERE id = :project;

-- name: batch_file
-- What a user sent under this name, newest first.
SELECT id FROM upload WHERE user = :user AND name = :name ORDER BY created_ms DESC LIMIT 1;

-- name: batch_file_mark
UPDATE upload SET batch = 1 WHERE id = :id;

-- name: batch_files
SELECT id FROM upload WHERE user = :user AND batch = 1;

-- name: batch_leases
-- scan: once at the end of a job that wants a log: who rendered what of its project
SELECT t.frame, w.name, l.state, l.render_s, l.ended_ms, l.memory_kib, l.outcome, l.id, l.log
  FROM task t JOIN lease l ON l.task = t.id AND l.ended_ms > 0 JOIN worker w ON w.id = l.worker WHERE t.project = :project ORDER BY l.ended_ms LIMIT 100000;
