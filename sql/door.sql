-- name: door_open
INSERT INTO door (address, user, until_ms) VALUES (:address, :user, :until_ms)
    ON CONFLICT (address) DO UPDATE SET user = excluded.user, until_ms = excluded.until_ms;

-- name: door_sweep
-- scan: as many rows as people and workers came from
DELETE FROM door WHERE until_ms < :now_ms;

-- name: door_close
DELETE FROM door WHERE address = :address;

-- name: door_find
SELECT user FROM door WHERE address = :address AND until_ms > :now_ms;

-- name: door_project
-- Does a worker of this user render a task of this project?
-- scan: the live leases of the farm, at the download of a scene by the other farm's workers
SELECT EXISTS (SELECT 1 FROM lease l JOIN worker w ON w.id = l.worker WHERE l.state = 'live' AND l.project = :project AND w.user = :user);

-- name: lease_of_tile
-- The newest lease of a session for a task at this place, also one that has expired; 0: none.
SELECT coalesce(max(l.id), 0) FROM task t JOIN lease l ON (l.task = t.id AND l.ended_ms > 0) OR l.id = t.holder
 WHERE t.project = :project AND t.frame = :frame AND t.row = :row AND t.column = :column AND l.session = :session;

-- name: lease_since
SELECT since_ms FROM lease WHERE id = :lease;

-- name: door_projects
-- What this user's workers may be given a task of, newest first.
SELECT p.id FROM project p
 WHERE p.state = 'active' AND (p.audience = 0 OR EXISTS (SELECT 1 FROM audience_user a WHERE a.user = :user AND a.audience = p.audience))
 ORDER BY p.id DESC LIMIT :limit;
