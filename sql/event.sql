-- name: event_add
INSERT INTO event (at_ms, project, kind, task, lease, detail) VALUES (:now_ms, :project, :kind, :task, :lease, :detail);

-- name: event_sweep
DELETE FROM event WHERE at_ms < :before_ms;

-- name: audit_add
INSERT INTO audit (at_ms, user, action, detail) VALUES (:now_ms, :user, :action, :detail);

-- name: event_oldest
-- scan: one row, the first
SELECT id FROM event ORDER BY id LIMIT 1;

-- name: event_last
-- scan: one row for each table that counts by itself
-- The id that the newest event had, also when it was swept.
SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0);

-- name: event_list
-- What happened after :after that this user may see; :user 0 sees everything.
SELECT e.id, e.at_ms, e.project, e.kind, e.task, e.lease, e.detail FROM event e LEFT JOIN project p ON p.id = e.project
 WHERE e.id > :after AND e.id <= :last AND (:project = 0 OR e.project = :project)
   AND (:user = 0 OR p.owner = :user OR p.access = 'everyone' OR EXISTS (SELECT 1 FROM viewer v WHERE v.user = :user AND v.project = p.id))
 ORDER BY e.id LIMIT :limit;

-- name: lease_last
-- scan: one row, the last
SELECT coalesce((SELECT id FROM lease ORDER BY id DESC LIMIT 1), 0);
