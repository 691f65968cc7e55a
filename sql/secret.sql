-- name: secret_add
INSERT INTO secret (kind, hash, user, name, scope, csrf, created_ms, expires_ms)
VALUES (:kind, :hash, :user, :name, :scope, :csrf, :now_ms, :expires_ms);

-- name: secret_find
-- The live secret with this hash, and whose it is.
SELECT s.id, s.user, u.roles, s.last_used_ms, s.expires_ms, u.name, s.scope, s.csrf, s.created_ms
  FROM secret s JOIN user u ON u.id = s.user
 WHERE s.hash = :hash AND s.kind = :kind AND s.revoked_ms = 0 AND (s.expires_ms = 0 OR s.expires_ms > :now_ms) AND u.disabled = 0;

-- name: secret_used
UPDATE secret SET last_used_ms = :now_ms WHERE id = :id;

-- name: secret_revoke
UPDATE secret SET revoked_ms = :now_ms WHERE id = :id AND revoked_ms = 0;

-- name: secret_list_own
-- scan: sorts the keys and tokens of one user
SELECT id, name, scope, created_ms, last_used_ms, kind, expires_ms FROM secret
 WHERE user = :user AND kind IN ('key', 'token') AND revoked_ms = 0 AND (expires_ms = 0 OR expires_ms > :now_ms) ORDER BY id;

-- name: secret_revoke_own
UPDATE secret SET revoked_ms = :now_ms WHERE id = :id AND user = :user AND kind IN ('key', 'token') AND revoked_ms = 0;

-- name: login_revoke_others
-- A new password ends every other browser's session.
UPDATE secret SET revoked_ms = :now_ms WHERE user = :user AND kind = 'login' AND id <> :keep AND revoked_ms = 0;

-- name: secret_list_all
-- scan: all keys or tokens, for the admin
SELECT s.id, u.name, s.name, s.scope, s.created_ms, s.last_used_ms FROM secret s JOIN user u ON u.id = s.user
 WHERE s.kind = :kind AND s.revoked_ms = 0 ORDER BY s.id;

-- name: secret_sweep
-- Browser logins that ended.
DELETE FROM secret WHERE expires_ms > 0 AND expires_ms < :before_ms AND kind = 'login';
