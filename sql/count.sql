-- name: project_count
UPDATE project SET waiting = waiting + :waiting, running = running + :running, done = done + :done WHERE id = :project
RETURNING owner, queue, state = 'active' AND queue IS NOT NULL, waiting;

-- name: queue_waiting
UPDATE queue SET waiting = waiting + :delta WHERE id = :queue RETURNING need;

-- name: need_waiting
UPDATE need SET waiting = waiting + :delta WHERE id = :need;

-- name: queue_head
-- Which project a queue lends from next: highest priority, then oldest. Its load is made true too, since only queues where something waits follow it.
UPDATE queue SET
  priority = coalesce((SELECT p.priority FROM project p WHERE p.queue = :queue AND p.state = 'active' AND p.waiting > 0 ORDER BY p.priority DESC, p.id LIMIT 1), 0),
  project = coalesce((SELECT p.id FROM project p WHERE p.queue = :queue AND p.state = 'active' AND p.waiting > 0 ORDER BY p.priority DESC, p.id LIMIT 1), 0),
  load = (SELECT u.running * 1000000 / u.weight FROM user u WHERE u.id = queue.owner)
WHERE id = :queue;

-- name: queue_load
UPDATE queue SET load = :load WHERE owner = :owner AND waiting > 0;

-- name: user_running
UPDATE user SET running = running + :delta WHERE id = :owner RETURNING running * 1000000 / weight;

-- name: project_queued
SELECT queue, waiting FROM project WHERE id = :project AND state = 'active' AND queue IS NOT NULL;

-- name: project_set_queue
UPDATE project SET queue = :queue, state = CASE WHEN :queue IS NULL THEN state ELSE 'active' END WHERE id = :project;

-- name: project_needs
SELECT owner, renderer, device, memory_kib, waiting FROM project WHERE id = :project;

-- name: need_take
INSERT INTO need (version, device, memory_kib) VALUES (:version, :device, :memory)
    ON CONFLICT (version, device, memory_kib) DO UPDATE SET waiting = waiting
RETURNING id;

-- name: queue_take
INSERT INTO queue (owner, need) VALUES (:owner, :need) ON CONFLICT (owner, need) DO UPDATE SET waiting = waiting RETURNING id;
