-- 0012: how far the work on an upload is, checking it or making a project of it, in thousandths; -1: none is known of.

ALTER TABLE upload ADD COLUMN done INTEGER NOT NULL DEFAULT -1;

PRAGMA user_version = 12;
