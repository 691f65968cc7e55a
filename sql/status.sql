-- name: program_note
INSERT OR REPLACE INTO program (pid, name, born, started_ms) VALUES (:pid, :name, :born, :now_ms);

-- name: program_list
-- scan: as many rows as there are processes
SELECT pid, name, born, started_ms FROM program ORDER BY name, pid;

-- name: program_forget
DELETE FROM program WHERE pid = :pid;

-- name: project_totals
-- scan: all projects, at most every few seconds in each of two processes
SELECT CASE state WHEN 'splitting' THEN 'waiting' WHEN 'active' THEN CASE WHEN done > 0 OR running > 0 THEN 'rendering' ELSE 'waiting' END ELSE state END,
       count(*), sum(CASE WHEN state = 'active' THEN waiting ELSE 0 END), sum(running), sum(archive_size + tile_bytes + made_bytes)
  FROM project WHERE state <> 'deleted' GROUP BY 1;

-- name: products_open
-- scan: those that wait or are being made
SELECT (SELECT count(*) FROM product WHERE state = 'waiting') + (SELECT count(*) FROM product WHERE state = 'making');
