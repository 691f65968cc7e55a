-- name: user_add
INSERT INTO user (name, password, roles, created_ms) VALUES (:name, :password, :roles, :now_ms);

-- name: user_find
SELECT id, roles, disabled, name, password FROM user WHERE name = :name;

-- name: user_get
SELECT id, roles, disabled, name FROM user WHERE id = :id AND gone_ms = 0;

-- name: user_list
-- scan: all users, for the admin
SELECT id, name, roles, disabled, weight, created_ms FROM user WHERE gone_ms = 0 ORDER BY id;

-- name: user_password
UPDATE user SET password = :password WHERE id = :id;

-- name: user_roles
UPDATE user SET roles = :roles WHERE id = :id;

-- name: user_disable
UPDATE user SET disabled = :disabled WHERE id = :id;

-- name: failure_count
SELECT count(*) FROM failure WHERE who = :who AND at_ms > :since_ms;

-- name: failure_add
INSERT INTO failure (who, at_ms) VALUES (:who, :now_ms);

-- name: failure_sweep
DELETE FROM failure WHERE at_ms < :before_ms;
