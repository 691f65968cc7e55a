-- 0010: the path of the hosts' own Blender that a wrapper starts: recipes of batches name renderers by it. '' for an archive's.

ALTER TABLE renderer ADD COLUMN path TEXT NOT NULL DEFAULT '';

PRAGMA user_version = 10;
