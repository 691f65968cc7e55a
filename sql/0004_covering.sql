-- 0004: what each request looks up is in the index itself: a page less to read per look. Every process reads again what another one has written.
-- The column of the WHERE stands at the end, or SQLite looks for it in the row.

DROP INDEX need_waiting;
CREATE INDEX need_waiting ON need (memory_kib, device, version, queues) WHERE queues > 0;

DROP INDEX queue_owner;
CREATE INDEX queue_owner ON queue (owner, need, priority, project, projects) WHERE projects > 0;

DROP INDEX renderer_platform;
CREATE INDEX renderer_platform ON renderer (os, bits, version, md5, removed) WHERE removed = 0;

DROP INDEX lease_session;
CREATE INDEX lease_session ON lease (session, until_ms, hard_ms, state) WHERE state = 'live';

PRAGMA user_version = 4;
