-- name: event_add
INSERT INTO event (at_ms, project, kind, task, lease, detail) VALUES (:now_ms, :project, :kind, :task, :lease, :detail);

-- name: event_sweep
DELETE FROM event WHERE at_ms < :before_ms;

-- name: audit_add
INSERT INTO audit (at_ms, user, action, detail) VALUES (:now_ms, :user, :action, :detail);
