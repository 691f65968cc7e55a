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
       s.points, u.points
  FROM session s JOIN user u ON u.id = s.user JOIN secret k ON k.id = s.key JOIN worker w ON w.id = s.worker
 WHERE s.hash = :hash AND s.ended_ms = 0 AND s.seen_ms > :since_ms AND u.disabled = 0 AND k.revoked_ms = 0;

-- name: session_seen
UPDATE session SET seen_ms = :now_ms WHERE id = :session;

-- name: session_end
UPDATE session SET ended_ms = :now_ms WHERE id = :session AND ended_ms = 0;

-- name: session_sweep
-- Sessions that ended, or fell silent, long ago; their leases stay as history.
DELETE FROM session WHERE id IN (
  SELECT id FROM (SELECT id FROM session WHERE ended_ms > 0 AND ended_ms < :before_ms
                  UNION ALL SELECT id FROM session WHERE ended_ms = 0 AND seen_ms < :before_ms) LIMIT 1000);

-- name: worker_seen
UPDATE worker SET seen_ms = :now_ms WHERE id = :worker;

-- name: worker_aside
UPDATE worker SET aside_until_ms = :until_ms, aside = :why, broken = 0, errors_from_ms = :now_ms WHERE id = :worker;

-- name: worker_disable
UPDATE worker SET disabled = :disabled, aside_until_ms = 0, aside = '', broken = 0, errors_from_ms = :now_ms WHERE id = :worker;

-- name: worker_list
-- scan: all machines, for the admin
SELECT w.id, w.name, u.name, w.os, w.bits, w.cpu, w.cores, w.ram_kib, w.version, w.disabled, w.aside_until_ms, w.aside, w.frames, w.render_s, w.seen_ms
  FROM worker w JOIN user u ON u.id = w.user ORDER BY w.id;

-- name: census
-- scan: the projects that wait, at most twice a minute in each program that asks
SELECT count(*), coalesce(sum(waiting), 0), (SELECT count(*) FROM session WHERE ended_ms = 0 AND seen_ms > :since_ms) FROM project WHERE open = 1;
