-- name: worker_take
-- The machine that this login comes from: known by what tells it apart, or new.
INSERT INTO worker (user, identity, name, os, bits, cpu, cores, ram_kib, version, created_ms, seen_ms)
VALUES (:user, :identity, :name, :os, :bits, :cpu, :cores, :ram_kib, :version, :now_ms, :now_ms)
    ON CONFLICT (user, identity) DO UPDATE SET os = excluded.os, bits = excluded.bits, cpu = excluded.cpu, cores = excluded.cores,
       ram_kib = excluded.ram_kib, version = excluded.version, seen_ms = excluded.seen_ms
RETURNING id;

-- name: session_add
INSERT INTO session (hash, user, key, worker, version, own, os, bits, cores, ram_kib, created_ms, seen_ms)
VALUES (:hash, :user, :key, :worker, :version, :own, :os, :bits, :cores, :ram_kib, :now_ms, :now_ms);

-- name: session_find
SELECT s.id, s.user, s.key, s.worker, u.roles, s.cores, s.ram_kib, s.seen_ms, s.own, w.disabled OR w.aside_until_ms > :now_ms, s.os, s.bits, s.version,
       coalesce((SELECT min(l.until_ms) FROM lease l WHERE l.session = s.id AND l.state = 'live' AND l.until_ms < l.hard_ms), 0),
       s.points, u.points, s.idle, s.idle_ms, s.next_ms, w.sleep_from, w.sleep_to, w.sleep_zone, w.gpu
  FROM session s JOIN user u ON u.id = s.user JOIN secret k ON k.id = s.key JOIN worker w ON w.id = s.worker
 WHERE s.hash = :hash AND s.ended_ms = 0 AND s.seen_ms > :since_ms AND u.disabled = 0 AND k.revoked_ms = 0;

-- name: session_seen
UPDATE session SET seen_ms = :now_ms WHERE id = :session;

-- name: session_next
-- When it is expected to ask again; 0: nobody can tell.
UPDATE session SET idle = :idle, idle_ms = :now_ms, next_ms = :next_ms WHERE id = :session;

-- name: session_end
UPDATE session SET ended_ms = :now_ms WHERE id = :session AND ended_ms = 0 RETURNING worker;

-- name: ask_next
-- Who is expected next of those that may take a task of a project, soonest first. Whoever may not is passed over within the index; of the others the
-- first :limit are looked at.
-- scan: those :limit rows
SELECT n.next_ms, w.sleep_from, w.sleep_to, w.sleep_zone
  FROM (SELECT s.next_ms, s.worker, s.user FROM session s
         WHERE s.next_ms > 0 AND s.ended_ms = 0 AND s.next_ms > :since_ms AND s.ram_kib >= :ram
           AND (:audience = 0 OR EXISTS (SELECT 1 FROM audience_user a WHERE a.user = s.user AND a.audience = :audience))
           AND EXISTS (SELECT 1 FROM renderer r WHERE r.os = s.os AND r.bits = s.bits AND r.removed = 0 AND (:version = '' OR r.version = :version))
         ORDER BY s.next_ms LIMIT :limit) n
  CROSS JOIN worker w ON w.id = n.worker CROSS JOIN user u ON u.id = n.user
 WHERE w.disabled = 0 AND w.aside_until_ms <= n.next_ms AND u.disabled = 0 AND u.roles & 4 ORDER BY n.next_ms;

-- name: worker_visit
UPDATE worker SET visits = visits + 1 WHERE id = :worker RETURNING visits;

-- name: visit_put
INSERT INTO visit (worker, slot, at_ms, kind, answer, lease, detail) VALUES (:worker, :slot, :now_ms, :kind, :answer, :lease, :detail)
    ON CONFLICT (worker, slot) DO UPDATE SET at_ms = excluded.at_ms, kind = excluded.kind, answer = excluded.answer, lease = excluded.lease,
       detail = excluded.detail;

-- name: visit_last
SELECT v.at_ms FROM worker w JOIN visit v ON v.worker = w.id AND v.slot = w.visits % :size WHERE w.id = :worker AND v.kind = :kind;

-- name: worker_log
-- What a worker asked and was told, its tasks' beginnings and ends, newest first; of the same millisecond in the ring's order.
-- scan: sorts the newest lines of one worker
SELECT at_ms, kind, answer, lease, project, text FROM (
  SELECT v.at_ms, v.kind, v.answer, v.lease, coalesce((SELECT l.project FROM lease l WHERE l.id = v.lease), 0) AS project, v.detail AS text,
         (v.slot + :limit - 1 - w.visits % :limit) % :limit AS turn
    FROM worker w JOIN visit v ON v.worker = w.id WHERE w.id = :worker
   UNION ALL
  SELECT * FROM (SELECT l.since_ms, 'lent', 0, l.id, l.project, '', :limit FROM lease l WHERE l.worker = :worker AND l.ended_ms > 0
                  ORDER BY l.ended_ms DESC LIMIT :limit)
   UNION ALL
  SELECT * FROM (SELECT l.ended_ms, l.state, 0, l.id, l.project, l.outcome, :limit + 1 FROM lease l WHERE l.worker = :worker AND l.ended_ms > 0
                  ORDER BY l.ended_ms DESC LIMIT :limit)
   UNION ALL
  SELECT l.since_ms, 'lent', 0, l.id, l.project, '', :limit FROM session s JOIN lease l ON l.session = s.id AND l.state = 'live' WHERE s.worker = :worker)
 ORDER BY at_ms DESC, turn DESC LIMIT :limit;

-- name: worker_gpu
UPDATE worker SET gpu = :gpu WHERE id = :worker;

-- name: worker_name
UPDATE worker SET name = :name WHERE id = :worker;

-- name: worker_tags
UPDATE worker SET tags = :tags WHERE id = :worker;

-- name: worker_sleep
UPDATE worker SET sleep_from = :from, sleep_to = :to, sleep_zone = :zone WHERE id = :worker;

-- name: worker_jobs
-- What a worker renders now. The title only of projects that :user may see; 0 sees all.
SELECT l.id, l.project, t.frame, t.row, t.column, l.since_ms, l.progress, l.left_s,
       CASE WHEN :user = 0 OR p.owner = :user OR p.access = 'everyone' OR EXISTS (SELECT 1 FROM viewer v WHERE v.user = :user AND v.project = p.id) THEN p.title END
  FROM session s JOIN lease l ON l.session = s.id AND l.state = 'live' JOIN task t ON t.id = l.task JOIN project p ON p.id = l.project
 WHERE s.worker = :worker LIMIT 64;

-- name: session_sweep
-- Sessions that ended, or fell silent, long ago; their leases stay as history.
DELETE FROM session WHERE id IN (
  SELECT id FROM (SELECT id FROM session WHERE ended_ms > 0 AND ended_ms < :before_ms
                  UNION ALL SELECT id FROM session WHERE ended_ms = 0 AND seen_ms < :before_ms) LIMIT 1000);

-- name: worker_seen
UPDATE worker SET seen_ms = :now_ms WHERE id = :worker;

-- name: worker_aside
UPDATE worker SET aside_until_ms = :until_ms, aside = :why, aside_by = :by, broken = 0, errors_from_ms = :now_ms WHERE id = :worker;

-- name: worker_disable
UPDATE worker SET disabled = :disabled, aside_until_ms = 0, aside = '', aside_by = 0, broken = 0, errors_from_ms = :now_ms WHERE id = :worker;

-- name: worker_list
-- Machines by id, after :after, that were seen since :since_ms; `here` those with a session that was heard of lately, 0 or 1; own clients must be heard of sooner.
-- next: when it is expected to ask. With :here those alone.
SELECT w.id, w.name, w.user, u.name, w.os, w.bits, w.cpu, w.cores, w.ram_kib, w.gpu, w.version, w.tags, w.disabled, w.aside_until_ms, w.aside, w.aside_by,
       w.sleep_from, w.sleep_to, w.sleep_zone, w.frames, w.render_s, w.points, w.seen_ms,
       (SELECT count(*) FROM lease f WHERE f.worker = w.id AND f.state = 'failed' AND f.ended_ms > :day_ms),
       coalesce((SELECT s.own FROM session s WHERE s.worker = w.id ORDER BY s.seen_ms DESC LIMIT 1), 0),
       EXISTS (SELECT 1 FROM session s WHERE s.worker = w.id AND s.ended_ms = 0 AND s.seen_ms > CASE s.own WHEN 0 THEN :stock_ms ELSE :own_ms END),
       coalesce((SELECT min(s.next_ms) FROM session s WHERE s.worker = w.id AND s.ended_ms = 0 AND s.seen_ms > :stock_ms AND s.next_ms > :overdue_ms), 0)
  FROM worker w JOIN user u ON u.id = w.user
 WHERE w.id > :after AND +w.seen_ms > :since_ms
   AND (:here = 0 OR EXISTS (SELECT 1 FROM session s WHERE s.worker = w.id AND s.ended_ms = 0 AND s.seen_ms > CASE s.own WHEN 0 THEN :stock_ms ELSE :own_ms END))
 ORDER BY w.id LIMIT :limit;

-- name: census
-- scan: the projects that wait, at most twice a minute in each program that asks
SELECT count(*), coalesce(sum(waiting), 0), (SELECT count(*) FROM session WHERE ended_ms = 0 AND seen_ms > :since_ms) FROM project WHERE open = 1;
