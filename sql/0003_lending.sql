-- 0003: a lease writes as few pages as it can: what changes with each one stands alone, and no index names it.

-- user.load: running ÷ weight × 1000000, as `turn` has it.
ALTER TABLE user ADD COLUMN load INTEGER NOT NULL DEFAULT 0;
UPDATE user SET load = running * 1000000 / weight;

-- project.open: it is active, stands in a queue, and tasks of it wait. Changes when the last one goes or the first one comes.
ALTER TABLE project ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
UPDATE project SET open = 1 WHERE state = 'active' AND queue IS NOT NULL AND waiting > 0;
DROP INDEX project_next;
CREATE INDEX project_next ON project (queue, priority DESC, id) WHERE open = 1;

-- queue: the waiting work of one owner with one need. projects counts the open ones; priority and project are those of the one to lend from next.
DROP INDEX queue_next;
DROP INDEX queue_owner;
ALTER TABLE queue DROP COLUMN load;
ALTER TABLE queue RENAME COLUMN waiting TO projects;
UPDATE queue SET projects = (SELECT count(*) FROM project p WHERE p.queue = queue.id AND p.open = 1);
CREATE INDEX queue_owner ON queue (owner) WHERE projects > 0;

-- need.queues: how many of its queues have an open project.
DROP INDEX need_waiting;
ALTER TABLE need RENAME COLUMN waiting TO queues;
UPDATE need SET queues = (SELECT count(*) FROM queue q WHERE q.need = need.id AND q.projects > 0);
CREATE INDEX need_waiting ON need (audience, memory_kib) WHERE queues > 0;

-- turn: in which order the queues with one need lend: least load of the owner first, then priority, then age. A row for each queue with an open project.
CREATE TABLE turn (
	need     INTEGER NOT NULL REFERENCES need (id),
	load     INTEGER NOT NULL,
	priority INTEGER NOT NULL,
	project  INTEGER NOT NULL,
	queue    INTEGER NOT NULL REFERENCES queue (id),
	PRIMARY KEY (need, load, priority DESC, project)
) STRICT, WITHOUT ROWID;
INSERT INTO turn SELECT q.need, u.load, q.priority, q.project, q.id FROM queue q JOIN user u ON u.id = q.owner WHERE q.projects > 0;

-- lease: found by its task once it has ended; before, the task names it as its holder. The live ones of a project are few enough to be looked through.
UPDATE lease SET ended_ms = since_ms WHERE state <> 'live' AND ended_ms = 0;
DROP INDEX lease_task;
CREATE INDEX lease_task ON lease (task) WHERE ended_ms > 0;
DROP INDEX lease_project_live;

PRAGMA user_version = 3;
