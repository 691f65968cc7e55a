-- name: account_list
-- scan: all accounts, for the admin
SELECT u.id, u.name, u.roles, u.disabled, u.quota_bytes, u.quota_running, u.running, u.points, u.created_ms,
       coalesce((SELECT sum(p.archive_size + p.tile_bytes + p.made_bytes) FROM project p WHERE p.owner = u.id AND p.state <> 'deleted'), 0) +
         coalesce((SELECT sum(x.size) FROM upload x WHERE x.user = u.id), 0),
       (SELECT count(*) FROM project p WHERE p.owner = u.id AND p.state <> 'deleted'),
       (SELECT count(*) FROM worker w WHERE w.user = u.id),
       (SELECT count(*) FROM secret s WHERE s.user = u.id AND s.kind = 'key' AND s.revoked_ms = 0),
       (SELECT count(*) FROM secret s WHERE s.user = u.id AND s.kind = 'token' AND s.revoked_ms = 0),
       coalesce((SELECT max(s.last_used_ms) FROM secret s WHERE s.user = u.id), 0)
  FROM user u WHERE u.gone_ms = 0 ORDER BY u.id;

-- name: account_get
SELECT u.id, u.name, u.roles, u.disabled, u.quota_bytes, u.quota_running, u.running, u.points, u.created_ms,
       coalesce((SELECT sum(p.archive_size + p.tile_bytes + p.made_bytes) FROM project p WHERE p.owner = u.id AND p.state <> 'deleted'), 0) +
         coalesce((SELECT sum(x.size) FROM upload x WHERE x.user = u.id), 0),
       (SELECT count(*) FROM project p WHERE p.owner = u.id AND p.state <> 'deleted'),
       (SELECT count(*) FROM worker w WHERE w.user = u.id),
       (SELECT count(*) FROM secret s WHERE s.user = u.id AND s.kind = 'key' AND s.revoked_ms = 0),
       (SELECT count(*) FROM secret s WHERE s.user = u.id AND s.kind = 'token' AND s.revoked_ms = 0),
       coalesce((SELECT max(s.last_used_ms) FROM secret s WHERE s.user = u.id), 0)
  FROM user u WHERE u.id = :id AND u.gone_ms = 0;

-- name: admin_count
-- scan: all accounts, when an admin changes one
SELECT count(*) FROM user WHERE roles & 1 AND disabled = 0 AND gone_ms = 0;

-- name: user_quota
SELECT quota_bytes, quota_running, running FROM user WHERE id = :user;

-- name: user_used
-- What an account takes on disk: projects and what is on its way in.
SELECT coalesce((SELECT sum(p.archive_size + p.tile_bytes + p.made_bytes) FROM project p WHERE p.owner = :user AND p.state <> 'deleted'), 0) +
       coalesce((SELECT sum(size) FROM upload WHERE user = :user), 0);

-- name: user_quota_bytes
UPDATE user SET quota_bytes = :quota WHERE id = :id;

-- name: account_gone
-- No name of a person has brackets.
UPDATE user SET gone_ms = :now_ms, disabled = 1, password = '', name = '(account ' || id || ')' WHERE id = :id;

-- name: account_revoke
UPDATE secret SET revoked_ms = :now_ms, name = '' WHERE user = :id AND kind IN ('key', 'token', 'login') AND revoked_ms = 0;

-- name: account_workers
UPDATE worker SET name = 'worker ' || id, tags = '' WHERE user = :id;

-- name: account_viewer
DELETE FROM viewer WHERE user = :id;

-- name: account_invitations
-- scan: invitations are a few
UPDATE invitation SET expires_ms = :now_ms WHERE host = :id AND used_ms = 0 AND expires_ms > :now_ms;

-- name: account_batch_jobs
UPDATE batch_job SET state = 'CANCELLED', finished_ms = :now_ms WHERE state IN ('QUEUED', 'RUNNING') AND batch IN (SELECT id FROM batch WHERE owner = :id);

-- name: account_batches
UPDATE batch SET state = 'CANCELLED', open = 0, password = x'', finished_ms = :now_ms WHERE owner = :id AND (open = 1 OR state IN ('WAITING', 'RUNNING'));

-- name: account_doors
-- scan: a few addresses
DELETE FROM door WHERE user = :id;

-- name: account_project
SELECT id FROM project WHERE owner = :id AND state <> 'deleted' LIMIT 1;

-- name: gone_project
-- scan: accounts that are gone, one index probe each
SELECT p.id FROM user u CROSS JOIN project p ON p.owner = u.id AND p.state <> 'deleted' WHERE u.gone_ms > 0 LIMIT 1;

-- name: invitation_add
INSERT INTO invitation (hash, host, roles, note, created_ms, expires_ms) VALUES (:hash, :host, :roles, :note, :now_ms, :expires_ms);

-- name: invitation_claim
UPDATE invitation SET used_ms = :now_ms WHERE hash = :hash AND used_ms = 0 AND expires_ms > :now_ms RETURNING id, roles;

-- name: invitation_guest
UPDATE invitation SET guest = :guest WHERE id = :id;

-- name: invitation_list
-- scan: all invitations, for the admin
SELECT i.id, h.name, i.roles, i.note, i.created_ms, i.expires_ms, i.used_ms, coalesce((SELECT g.name FROM user g WHERE g.id = i.guest), '')
  FROM invitation i JOIN user h ON h.id = i.host ORDER BY i.id DESC LIMIT 1000;

-- name: invitation_remove
DELETE FROM invitation WHERE id = :id;

-- name: audit_list
-- Newest first.
SELECT a.id, a.at_ms, a.user, coalesce(u.name, ''), a.action, a.detail FROM audit a LEFT JOIN user u ON u.id = a.user
 WHERE a.id < :before ORDER BY a.id DESC LIMIT :limit;
