-- name: tile_wanted
-- Is this the picture that counts for its place?
SELECT count(*) FROM task WHERE project = :project AND frame = :frame AND row = :row AND column = :column AND lease = :lease AND state = 'done';

-- name: tile_again
-- Its picture is gone: it is rendered once more.
UPDATE task SET state = 'waiting', lease = 0, holder = 0, tries = 0, black = 0, ext = '', size = 0
 WHERE project = :project AND frame = :frame AND row = :row AND column = :column AND lease = :lease AND state = 'done';

-- name: project_again
UPDATE project SET result = '', raw = 0, finished_ms = 0, frames_done = frames_done -
  (SELECT count(*) FROM frame f WHERE f.project = project.id AND f.frame = :frame AND f.tiles = project.rows * project.columns) WHERE id = :project;

-- name: frame_again
UPDATE frame SET tiles = tiles - 1, ext = '' WHERE project = :project AND frame = :frame AND tiles > 0;

-- name: product_void
-- What was made of a frame, and of the whole, is no longer true.
DELETE FROM product WHERE project = :project AND (frame = :frame OR kind IN ('result', 'zip'));

-- name: product_remake
UPDATE product SET state = 'waiting', tries = 0, why = '' WHERE project = :project AND kind = :kind AND frame = :frame AND state = 'done';

-- name: renderer_known
SELECT count(*) FROM renderer WHERE md5 = :md5 AND removed < 2;
