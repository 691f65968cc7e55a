-- name: chore_add
INSERT INTO chore (kind, user, name, what, created_ms) VALUES (:kind, :user, :name, :what, :now_ms);

-- name: chore_open
-- Is one of this kind waiting or being done?
SELECT count(*) FROM chore WHERE kind = :kind AND state IN ('waiting', 'working');

-- name: chore_waits
SELECT id FROM chore WHERE state = 'waiting' ORDER BY id LIMIT 1;

-- name: chore_take
UPDATE chore SET state = 'working' WHERE id = (SELECT id FROM chore WHERE state = 'waiting' ORDER BY id LIMIT 1) RETURNING id;

-- name: chore_recover
UPDATE chore SET state = 'waiting' WHERE state = 'working';

-- name: chore_progress
UPDATE chore SET done = :done, total = :total, mended = :mended, message = :message, report = :report WHERE id = :id;

-- name: chore_end
UPDATE chore SET state = :state, message = :message, what = '', ended_ms = :now_ms WHERE id = :id AND state = 'working';

-- name: chore_get
SELECT id, kind, user, name, what, state, done, total, mended, message, created_ms, ended_ms, report FROM chore WHERE id = :id;

-- name: chore_list
-- Newest first.
SELECT id, kind, user, name, what, state, done, total, mended, message, created_ms, ended_ms, report FROM chore WHERE kind = :kind ORDER BY id DESC LIMIT :limit;

-- name: chore_sweep
-- scan: a few rows
DELETE FROM chore WHERE ended_ms > 0 AND ended_ms < :before_ms;

-- name: check_total
-- About as many rows and files as a check compares.
-- scan: all projects, once a check
SELECT coalesce((SELECT sum(2 + 2 * done + CASE WHEN rows * columns > 1 OR format = 'jpeg' THEN frames_done ELSE 0 END + (result <> '') + raw) FROM project WHERE state <> 'deleted'), 0)
     + coalesce((SELECT sum(2) FROM renderer WHERE removed = 0), 0);

-- name: purge_next
-- Not what came since: it was acknowledged by a farm that was to be empty already.
-- scan: stops at the first one
SELECT id FROM project WHERE state <> 'deleted' AND created_ms <= :now_ms LIMIT 1;

-- name: purge_upload
-- scan: stops at the first one
SELECT id FROM upload LIMIT 1;

-- name: purge_batch_jobs
-- scan: all of them go
DELETE FROM batch_job;

-- name: purge_batches
-- scan: all of them go
DELETE FROM batch;

-- name: purge_end_sessions
-- scan: all of them end
UPDATE session SET ended_ms = :now_ms, next_ms = 0 WHERE ended_ms = 0;

-- name: purge_words
-- scan: all of deleted projects
DELETE FROM words WHERE project IN (SELECT id FROM project WHERE state = 'deleted');

-- name: purge_viewers
-- scan: all of deleted projects
DELETE FROM viewer WHERE project IN (SELECT id FROM project WHERE state = 'deleted');

-- name: purge_last
-- scan: what deleted projects were called
UPDATE project SET title = '', blend = '', scene = '', camera = '', extra = '', message = '' WHERE state = 'deleted' AND title <> '';

-- name: purge_projects
-- The newest row stays, without its words: no number is given to a second project, for old links and late files would be taken for its own.
-- What was deleted just now still has rows that mean it: it goes the next time.
DELETE FROM project WHERE id IN (SELECT p.id FROM project p WHERE p.state = 'deleted' AND p.id < (SELECT max(id) FROM project)
   AND NOT EXISTS (SELECT 1 FROM task t WHERE t.project = p.id) AND NOT EXISTS (SELECT 1 FROM viewer v WHERE v.project = p.id)
   AND NOT EXISTS (SELECT 1 FROM words w WHERE w.project = p.id) LIMIT 1000);

-- name: purge_events
-- scan: what was told of projects that are no more
DELETE FROM event WHERE project NOT IN (SELECT id FROM project);

-- name: purge_sessions
-- scan: all that ended and lent nothing that is still known
DELETE FROM session WHERE ended_ms > 0 AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.session = session.id);

-- name: purge_visits
-- scan: of machines that go
DELETE FROM visit WHERE worker NOT IN (SELECT worker FROM session);

-- name: purge_workers
-- scan: all that have not come since
DELETE FROM worker WHERE id NOT IN (SELECT worker FROM session) AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.worker = worker.id AND l.state IN ('live', 'failed'))
   AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.worker = worker.id AND l.ended_ms > 0);
