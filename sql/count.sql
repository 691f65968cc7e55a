-- name: project_count
UPDATE project SET waiting = waiting + :waiting, running = running + :running, done = done + :done WHERE id = :project
RETURNING owner, queue, open, state = 'active' AND queue IS NOT NULL AND waiting > 0;

-- name: project_open
UPDATE project SET open = :open WHERE id = :project;

-- name: queue_projects
UPDATE queue SET projects = projects + :delta WHERE id = :queue RETURNING need, projects;

-- name: need_queues
UPDATE need SET queues = queues + :delta WHERE id = :need;

-- name: queue_head
-- Which project a queue lends from next: highest priority, then oldest.
UPDATE queue SET
  priority = coalesce((SELECT p.priority FROM project p WHERE p.queue = :queue AND p.open = 1 ORDER BY p.priority DESC, p.id LIMIT 1), 0),
  project = coalesce((SELECT p.id FROM project p WHERE p.queue = :queue AND p.open = 1 ORDER BY p.priority DESC, p.id LIMIT 1), 0)
WHERE id = :queue;

-- name: turn_close
-- A queue leaves the order of lending.
DELETE FROM turn WHERE (need, load, priority, project) = (SELECT q.need, u.load, q.priority, q.project FROM queue q JOIN user u ON u.id = q.owner WHERE q.id = :queue);

-- name: turn_open
-- A queue takes its place in it, if it has something.
INSERT INTO turn (need, load, priority, project, queue)
SELECT q.need, u.load, q.priority, q.project, q.id FROM queue q JOIN user u ON u.id = q.owner WHERE q.id = :queue AND q.projects > 0;

-- name: turn_load
-- The queues of an owner move to the place that its load will give them; before its load is written.
UPDATE turn SET load = (SELECT CASE WHEN u.quota_running > 0 AND u.running + :delta >= u.quota_running THEN 1 << 62
                                    ELSE (u.running + :delta) * 1000000 / u.weight END FROM user u WHERE u.id = :owner)
 WHERE (need, load, priority, project) IN
  (SELECT q.need, u.load, q.priority, q.project FROM queue q JOIN user u ON u.id = q.owner WHERE q.owner = :owner AND q.projects > 0);

-- name: user_running
-- An owner who has as many tasks running as their quota allows stands behind everybody: lending stops before such a load.
UPDATE user SET running = running + :delta,
  load = CASE WHEN quota_running > 0 AND running + :delta >= quota_running THEN 1 << 62 ELSE (running + :delta) * 1000000 / weight END WHERE id = :owner;

-- name: user_quota_running
UPDATE user SET quota_running = :quota WHERE id = :owner;

-- name: project_queued
SELECT queue, open FROM project WHERE id = :project AND state = 'active' AND queue IS NOT NULL;

-- name: project_set_queue
UPDATE project SET queue = :queue, open = 0, state = CASE WHEN :queue IS NULL THEN state ELSE 'active' END WHERE id = :project;

-- name: project_needs
SELECT owner, renderer, device, memory_kib, waiting, audience FROM project WHERE id = :project;

-- name: need_take
INSERT INTO need (audience, version, device, memory_kib) VALUES (:audience, :version, :device, :memory)
    ON CONFLICT (audience, version, device, memory_kib) DO UPDATE SET queues = queues
RETURNING id;

-- name: queue_take
INSERT INTO queue (owner, need) VALUES (:owner, :need) ON CONFLICT (owner, need) DO UPDATE SET projects = projects RETURNING id;

-- name: audience_take
INSERT INTO audience (members) VALUES (:members) ON CONFLICT (members) DO UPDATE SET members = members RETURNING id;

-- name: audience_member
INSERT INTO audience_user (user, audience) VALUES (:user, :audience) ON CONFLICT DO NOTHING;

-- name: audience_members
SELECT members FROM audience WHERE id = :audience;

-- name: project_audience
UPDATE project SET audience = :audience WHERE id = :project;
