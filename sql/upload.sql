-- name: upload_add
INSERT INTO upload (id, user, name, size, created_ms, seen_ms) VALUES (:id, :user, :name, :size, :now_ms, :now_ms);

-- name: upload_waiting
-- Uploads of an account that no project or batch was made of yet, whole ones among them.
SELECT count(*) FROM upload WHERE user = :user AND batch = 0;

-- name: upload_find
SELECT size, name, done FROM upload WHERE id = :id AND user = :user;

-- name: upload_done
UPDATE upload SET done = :done WHERE id = :id;

-- name: upload_seen
UPDATE upload SET seen_ms = :now_ms WHERE id = :id;
