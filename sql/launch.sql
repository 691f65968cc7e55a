-- name: launch_add
INSERT INTO run (host, state, status, shown, input, solver, expr, command, memory, sender, ncpu, memory_bytes, priority, position, clean, created_ms)
VALUES (:host, :state, :status, 1, :input, :solver, :expr, :command, :memory, :sender, :ncpu, :memory_bytes, :priority, :position, :clean, :now_ms);

-- name: launch_update
-- All that changes of a run but its place in the queue.
UPDATE run SET state = :state, status = :status, shown = :shown, command = :command, ncpu = :ncpu, memory_bytes = :memory_bytes, pid = :pid, cores = :cores,
       code = :code, message = :message, boot = :boot, current = :current, ends_at = :ends_at, progress = :progress, mass = :mass, mass_pct = :mass_pct,
       started_ms = :started_ms, ended_ms = :ended_ms, paused_ms = :paused_ms
 WHERE id = :id;

-- name: launch_place
UPDATE run SET position = :position, priority = :priority WHERE id = :id;

-- name: launch_open
-- What this host's launcher must know when it begins: the queue in its order, what runs, and what has ended and is still shown.
SELECT * FROM run_row WHERE host = :host AND shown = 1 ORDER BY position, id;

-- name: launch_recent
SELECT * FROM run_row WHERE host = :host AND state <> 'queued' ORDER BY id DESC LIMIT :limit;

-- name: launch_get
SELECT * FROM run_row WHERE id = :id AND host = :host;

-- name: launch_history
-- scan: as many rows of this host, newest first, as it takes to fill a page that contains the words
SELECT * FROM run_row WHERE host = :host AND state = 'ended' AND (:words = '' OR instr(lower(input || ' ' || solver || ' ' || status || ' ' || sender), lower(:words)) > 0)
 ORDER BY id DESC LIMIT :limit OFFSET :offset;

-- name: launch_sweep
-- scan: along the oldest runs of a host, up to :limit of them
DELETE FROM run WHERE id IN (SELECT id FROM run WHERE host = :host AND state = 'ended' AND shown = 0 AND ended_ms < :before_ms ORDER BY id LIMIT :limit);

-- name: launch_count
-- scan: the runs of a host, for the number of pages
SELECT count(*) FROM run WHERE host = :host AND state = 'ended' AND (:words = '' OR instr(lower(input || ' ' || solver || ' ' || status || ' ' || sender), lower(:words)) > 0);
