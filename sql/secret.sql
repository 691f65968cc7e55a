-- name: secret_add
INSERT INTO secret (kind, hash, user, name, scope, csrf, created_ms, expires_ms)
VALUES (:kind, :hash, :user, :name, :scope, :csrf, :now_ms, :expires_ms);

-- name: secret_find
-- The live secret with this hash, and whose it is.
SELECT s.id, s.user, u.roles, s.last_used_ms, s.expires_ms, u.name, s.scope, s.csrf
  FROM secret s JOIN user u ON u.id = s.user
 WHERE s.hash = :hash AND s.kind = :kind AND s.revoked_ms = 0 AND (s.expires_ms = 0 OR s.expires_ms > :now_ms) AND u.disabled = 0;

-- name: secret_used
UPDATE secret SET last_used_ms = :now_ms WHERE id = :id;

-- name: secret_revoke
UPDATE secret SET revoked_ms = :now_ms WHERE id = :id AND revoked_ms = 0;

-- name: secret_list
-- Those of one user and kind that were not revoked.
SELECT id, name, scope, created_ms, last_used_ms FROM secret WHERE user = :user AND kind = :kind AND revoked_ms = 0 ORDER BY id;

-- name: secret_list_all
-- scan: all keys or tokens, for the admin
SELECT s.id, u.name, s.name, s.scope, s.created_ms, s.last_used_ms FROM secret s JOIN user u ON u.id = s.user
 WHERE s.kind = :kind AND s.revoked_ms = 0 ORDER BY s.id;

-- name: secret_sweep
-- Browser logins that ended.
DELETE FROM secret WHERE expires_ms > 0 AND expires_ms < :before_ms AND kind = 'login';
