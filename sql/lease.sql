-- name: need_fit
-- The needs that a session meets: for everybody's workers or its owner's, memory, compute method (0 both, 1 CPU, 2 GPU), a renderer for its OS and
-- architecture.
SELECT n.id FROM need n
 WHERE n.queues > 0 AND n.audience IN (SELECT 0 UNION ALL SELECT a.audience FROM audience_user a WHERE a.user = :user) AND n.memory_kib <= :ram
   AND (n.device = 0 OR :method = 0 OR n.device = :method)
   AND EXISTS (SELECT 1 FROM renderer r WHERE r.os = :os AND r.bits = :bits AND r.removed = 0 AND (n.version = '' OR r.version = n.version));

-- name: queue_next
-- The fronts of the queues with one need: the owner with the least load first, then priority, then age.
SELECT queue, load, priority, project FROM turn WHERE need = :need AND load < 1 << 62 ORDER BY load, priority DESC, project LIMIT :limit;

-- name: project_next
SELECT id, memory_kib, task_max_s, device, renderer FROM project
 WHERE queue = :queue AND open = 1 ORDER BY priority DESC, id LIMIT :limit;

-- name: task_pick
-- The next task of a project; not one that this worker failed, nor one that died of memory where there was as much. There are at most as many of
-- those as the project's budget of errors, so this walks no further.
SELECT t.id, t.frame, t.row, t.column FROM task t
 WHERE t.project = :project AND t.state = 'waiting' AND (t.memory_kib = 0 OR t.memory_kib < :ram)
   AND NOT EXISTS (SELECT 1 FROM shun s WHERE s.task = t.id AND s.worker = :worker)
 ORDER BY t.seq LIMIT 1;

-- name: task_pick_last
-- The same for a task that this worker should rather not get, when no other worker that is online can take it. Those that sleep at times, and the other
-- farm's, which can't take each project's, are not waited for.
SELECT t.id, t.frame, t.row, t.column FROM task t
 WHERE t.project = :project AND t.state = 'waiting' AND (t.memory_kib = 0 OR t.memory_kib < :ram)
   AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.seen_ms > :since_ms AND w.id <> :worker AND w.disabled = 0 AND w.aside_until_ms <= :now_ms
                      AND w.sleep_from = w.sleep_to AND w.version <> '2254'
                      AND (t.memory_kib = 0 OR t.memory_kib < w.ram_kib)
                      AND EXISTS (SELECT 1 FROM renderer r WHERE r.os = w.os AND r.bits = w.bits AND r.removed = 0)
                      AND NOT EXISTS (SELECT 1 FROM shun s WHERE s.task = t.id AND s.worker = w.id)
                      AND EXISTS (SELECT 1 FROM project p WHERE p.id = :project AND (p.audience = 0 OR EXISTS
                                  (SELECT 1 FROM audience_user a WHERE a.user = w.user AND a.audience = p.audience))))
 ORDER BY t.seq LIMIT 1;

-- name: renderer_fit
-- The renderer for a session's platform: of the wanted version, else the newest.
-- scan: sorts the few renderers of one platform
SELECT id, md5, version FROM renderer WHERE os = :os AND bits = :bits AND removed = 0 AND (:version = '' OR version = :version) ORDER BY id DESC LIMIT 1;

-- name: task_lend
UPDATE task SET state = 'leased', holder = :lease WHERE id = :task AND state = 'waiting';

-- name: lease_add
INSERT INTO lease (id, task, project, session, worker, key, renderer, gpu, since_ms, until_ms, hard_ms)
VALUES (:id, :task, :project, :session, :worker, :key, :renderer, :gpu, :now_ms, :until_ms, :hard_ms);

-- name: lease_of_session
-- The live leases of a session: two, three at most.
SELECT id, until_ms, hard_ms FROM lease WHERE session = :session AND state = 'live';

-- name: lease_asked
-- Its session asks for more.
UPDATE lease SET asked = asked + 1 WHERE session = :session AND state = 'live' RETURNING id, asked;

-- name: lease_of_project
-- scan: the live leases of the farm, when a project is stopped
SELECT id FROM lease WHERE project = :project AND state = 'live';

-- name: lease_expired
SELECT id FROM lease WHERE state = 'live' AND until_ms < :now_ms ORDER BY until_ms LIMIT :limit;

-- name: lease_renew
UPDATE lease SET until_ms = :until_ms WHERE id = :id AND state = 'live';

-- name: lease_revive
UPDATE lease SET state = 'live', ended_ms = 0, outcome = '', until_ms = min(:until_ms, hard_ms) WHERE id = :lease AND state = 'expired';

-- name: lease_loan
-- All that the end of a lease needs to know; :key 0 asks for a lease of any key.
SELECT l.task, l.project, l.worker, l.session, l.hard_ms, t.holder, t.black, t.tries, t.frame, t.row, t.column, l.state, t.state, p.state, p.format,
       p.rows * p.columns, t.memory_kib, w.ram_kib, l.progress, t.lease, l.since_ms, w.cores, l.gpu, w.user
  FROM lease l JOIN task t ON t.id = l.task JOIN project p ON p.id = l.project JOIN worker w ON w.id = l.worker
 WHERE l.id = :lease AND (:key = 0 OR l.key = :key);

-- name: lease_renderer
SELECT r.md5, l.until_ms, l.gpu FROM lease l JOIN renderer r ON r.id = l.renderer WHERE l.id = :lease;

-- name: lease_end
UPDATE lease SET state = :state, outcome = :why, ended_ms = :now_ms WHERE id = :lease AND state = 'live';

-- name: task_release
-- The task that this lease holds waits again. No row: it holds none any more.
UPDATE task SET state = 'waiting', holder = 0 WHERE id = (SELECT task FROM lease WHERE id = :lease) AND holder = :lease AND state = 'leased'
RETURNING id, project;

-- name: lease_beat
UPDATE lease SET render_s = :render_s, left_s = :left_s, progress = max(progress, :progress), engine = CASE WHEN :engine = '' THEN engine ELSE :engine END
 WHERE id = :lease AND state = 'live';

-- name: lease_supersede
-- The lease that held a task when another one delivered it.
UPDATE lease SET state = 'cancelled', outcome = 'another worker was first', ended_ms = :now_ms WHERE id = :holder AND state = 'live';

-- name: lease_delivered
UPDATE lease SET state = 'delivered', outcome = :why, ended_ms = :now_ms, progress = 1000, render_s = :render_s, memory_kib = max(memory_kib, :memory_kib),
  points = :points WHERE id = :lease;

-- name: lease_was_black
-- Its black picture was not the truth; whose was it?
UPDATE lease SET state = 'failed', outcome = 'all black, where another worker''s picture was not' WHERE id = :lease AND state = 'delivered' RETURNING worker;

-- name: lease_log
UPDATE lease SET log = max(log, :log), memory_kib = max(memory_kib, :memory_kib) WHERE id = :lease;

-- name: task_deliver
-- The picture of :lease is the one that counts.
UPDATE task SET state = 'done', lease = :lease, holder = 0, ext = :ext, size = :size, finished_ms = :now_ms WHERE id = :task AND state IN ('waiting', 'leased');

-- name: task_black
UPDATE task SET black = :lease, state = CASE WHEN holder = :lease THEN 'waiting' ELSE state END, holder = CASE WHEN holder = :lease THEN 0 ELSE holder END
 WHERE id = :task;

-- name: task_tried
UPDATE task SET tries = tries + 1 WHERE id = :task RETURNING tries;

-- name: task_memory
UPDATE task SET memory_kib = max(memory_kib, :memory_kib) WHERE id = :task;

-- name: shun_add
INSERT INTO shun (task, worker) VALUES (:task, :worker) ON CONFLICT DO NOTHING;

-- name: project_error
UPDATE project SET errors = errors + 1 WHERE id = :project RETURNING errors;

-- name: project_memory
UPDATE project SET memory_kib = :memory_kib WHERE id = :project AND memory_kib < :memory_kib;

-- name: project_delivered
UPDATE project SET tile_bytes = tile_bytes + :size, render_s = render_s + :render_s, points = points + :points WHERE id = :project;

-- name: worker_delivered
UPDATE worker SET frames = frames + 1, render_s = render_s + :render_s, points = points + :points, broken = 0 WHERE id = :worker;

-- name: worker_broken
UPDATE worker SET broken = broken + :more WHERE id = :worker RETURNING broken;

-- name: worker_errors
-- Its failures since then, and since an admin allowed it again; those of projects that failed altogether were the scene's fault. Of a project that nobody
-- has delivered anything of, they count where another worker is there to take over: on a farm of one, the scene is judged first.
SELECT count(*) FROM lease l JOIN project p ON p.id = l.project JOIN worker w ON w.id = l.worker
 WHERE l.worker = :worker AND l.state = 'failed' AND l.ended_ms > max(:since_ms, w.errors_from_ms) AND p.state <> 'failed'
   AND (p.done > 0 OR EXISTS (SELECT 1 FROM worker o WHERE o.seen_ms > :online_ms AND o.id <> :worker));

-- name: session_delivered
UPDATE session SET frames = frames + 1, points = points + :points WHERE id = :session;

-- name: user_delivered
UPDATE user SET points = points + :points WHERE id = :user;

-- name: frame_tile
-- One more tile of a frame is there; how many now?
INSERT INTO frame (project, frame, tiles) VALUES (:project, :frame, 1) ON CONFLICT (project, frame) DO UPDATE SET tiles = tiles + 1 RETURNING tiles;

-- name: lease_of_archive
-- A live lease of this session that needs the scene with this MD5.
SELECT l.id FROM lease l JOIN project p ON p.id = l.project WHERE l.session = :session AND l.state = 'live' AND p.archive_md5 = :md5 LIMIT 1;

-- name: archive_needed
-- Will anybody ask for the archive with this MD5 again?
SELECT EXISTS (SELECT 1 FROM project WHERE archive_md5 = :md5 AND state IN ('splitting', 'active', 'paused'))
    OR EXISTS (SELECT 1 FROM renderer WHERE md5 = :md5 AND removed = 0);
