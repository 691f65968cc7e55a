-- name: renderer_add
INSERT INTO renderer (md5, sha256, version, os, bits, caps, size, path, created_ms) VALUES (:md5, :sha256, :version, :os, :bits, :caps, :size, :path, :now_ms);

-- name: renderer_of_path
-- scan: a few dozen rows
SELECT version FROM renderer WHERE removed = 0 AND path = :path ORDER BY id DESC LIMIT 1;

-- name: renderer_remove
UPDATE renderer SET removed = 1 WHERE id = :id AND removed = 0;

-- name: renderer_list
-- scan: a few dozen rows
SELECT id, md5, sha256, version, os, bits, caps, size, created_ms FROM renderer WHERE removed = 0 ORDER BY id;

-- name: renderer_count
-- scan: a few dozen rows
SELECT count(*) FROM renderer WHERE removed = 0 AND (:version = '' OR version = :version);

-- name: renderer_count_without
-- scan: a few dozen rows
SELECT count(*) FROM renderer WHERE removed = 0 AND (:version = '' OR version = :version) AND caps IS NOT NULL AND caps & :cap = 0;
