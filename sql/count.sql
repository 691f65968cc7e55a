-- name: project_count
UPDATE project SET waiting = waiting + :waiting, running = running + :running, done = done + :done,
  started_ms = CASE WHEN started_ms = 0 THEN :lent_ms ELSE started_ms END WHERE id = :project
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

-- name: recount_differ
-- How many sums are not what a recount says.
-- scan: an admin asks whether everything is right
SELECT (SELECT count(*) FROM project p WHERE state <> 'deleted' AND (waiting <> (SELECT count(*) FROM task WHERE project = p.id AND state = 'waiting')
          OR running <> (SELECT count(*) FROM task WHERE project = p.id AND state = 'leased') OR done <> (SELECT count(*) FROM task WHERE project = p.id AND state = 'done')))
     + (SELECT count(*) FROM project WHERE open <> (state = 'active' AND queue IS NOT NULL AND waiting > 0))
     + (SELECT count(*) FROM queue q WHERE projects <> (SELECT count(*) FROM project WHERE queue = q.id AND open = 1))
     + (SELECT count(*) FROM need n WHERE queues <> (SELECT count(*) FROM queue WHERE need = n.id AND projects > 0))
     + (SELECT count(*) FROM user u WHERE running <> (SELECT coalesce(sum(running), 0) FROM project WHERE owner = u.id))
     + (SELECT count(*) FROM queue q WHERE (projects > 0) <> (SELECT count(*) FROM turn t JOIN user u ON u.id = q.owner
          WHERE t.queue = q.id AND t.need = q.need AND t.load = u.load AND t.priority = q.priority AND t.project = q.project));

-- name: recount_projects
-- scan: mending
UPDATE project SET waiting = (SELECT count(*) FROM task WHERE project = project.id AND state = 'waiting'),
  running = (SELECT count(*) FROM task WHERE project = project.id AND state = 'leased'), done = (SELECT count(*) FROM task WHERE project = project.id AND state = 'done')
 WHERE state <> 'deleted';

-- name: recount_open
-- scan: mending
UPDATE project SET open = state = 'active' AND queue IS NOT NULL AND waiting > 0;

-- name: recount_queues
-- scan: mending
UPDATE queue SET projects = (SELECT count(*) FROM project WHERE queue = queue.id AND open = 1),
  priority = coalesce((SELECT p.priority FROM project p WHERE p.queue = queue.id AND p.open = 1 ORDER BY p.priority DESC, p.id LIMIT 1), 0),
  project = coalesce((SELECT p.id FROM project p WHERE p.queue = queue.id AND p.open = 1 ORDER BY p.priority DESC, p.id LIMIT 1), 0);

-- name: recount_needs
-- scan: mending
UPDATE need SET queues = (SELECT count(*) FROM queue WHERE need = need.id AND projects > 0);

-- name: recount_users
-- scan: mending
UPDATE user SET running = (SELECT coalesce(sum(running), 0) FROM project WHERE owner = user.id);

-- name: recount_loads
-- scan: mending
UPDATE user SET load = CASE WHEN quota_running > 0 AND running >= quota_running THEN 1 << 62 ELSE running * 1000000 / weight END;

-- name: recount_turns_forget
-- scan: mending
DELETE FROM turn;

-- name: recount_turns
-- scan: mending
INSERT INTO turn (need, load, priority, project, queue)
SELECT q.need, u.load, q.priority, q.project, q.id FROM queue q JOIN user u ON u.id = q.owner WHERE q.projects > 0;
