-- 0008: what housekeeping looks for is found at once: pictures that were rendered anew, batches that ended long ago.
CREATE INDEX task_replaced ON task (finished_ms) WHERE state = 'replaced' AND size > 0;
CREATE INDEX batch_ended ON batch (finished_ms) WHERE open = 0 AND finished_ms > 0;

PRAGMA user_version = 8;
