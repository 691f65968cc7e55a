-- name: product_add
-- One more thing to make; one that is there already is left as it is.
INSERT INTO product (project, kind, frame, rank, turn) VALUES (:project, :kind, :frame, :rank, :turn) ON CONFLICT (project, kind, frame) DO NOTHING;

-- name: product_expire
-- Those whose maker fell silent wait again; each was a try.
UPDATE product SET state = 'waiting' WHERE state = 'making' AND until_ms < :now_ms;

-- name: product_recover
-- Their makers ended with the compositor that started them: that was no try of theirs.
-- scan: at most as many as are made at once
UPDATE product SET state = 'waiting', tries = max(tries - 1, 0) WHERE state = 'making';

-- name: product_take
UPDATE product SET state = 'making', tries = tries + 1, progress = 0, until_ms = :until_ms
 WHERE id = (SELECT id FROM product WHERE state = 'waiting' ORDER BY rank, turn, id LIMIT 1)
RETURNING id, project, kind, frame, tries;

-- name: project_made
-- What the files made for a project take: this product's new ones in place of its old ones.
UPDATE project SET made_bytes = made_bytes + :bytes - coalesce((SELECT bytes FROM product WHERE id = :product), 0) WHERE id = :project;

-- name: project_unmade
-- The products of one frame (-1: of the whole) are about to be forgotten.
UPDATE project SET made_bytes = made_bytes - coalesce((SELECT sum(r.bytes) FROM product r WHERE r.project = :project AND r.kind IN ('preview', 'stitch', 'result', 'zip') AND r.frame = :frame), 0)
 WHERE id = :project;

-- name: product_done
UPDATE product SET state = 'done', bytes = :bytes, progress = 1000, why = :note, finished_ms = :now_ms WHERE id = :product AND state = 'making';

-- name: product_failed
UPDATE product SET state = CASE WHEN tries < :most THEN 'waiting' ELSE 'failed' END, why = :why WHERE id = :product AND state = 'making';

-- name: product_progress
UPDATE product SET progress = :progress, until_ms = :until_ms WHERE id = :product AND state = 'making';

-- name: product_stitching
SELECT count(*) FROM (SELECT 1 FROM product WHERE project = :project AND kind = 'stitch' AND state IN ('waiting', 'making') LIMIT 1);

-- name: product_open
-- Is the result or the zip still to be made?
SELECT count(*) FROM product WHERE project = :project AND kind IN ('result', 'zip') AND state IN ('waiting', 'making');

-- name: product_again
-- All that failed, and the result and zip in any case.
UPDATE product SET state = 'waiting', tries = 0, why = '' WHERE project = :project AND (state = 'failed' OR (kind IN ('result', 'zip') AND state = 'done'));

-- name: product_forget
DELETE FROM product WHERE project = :project;

-- name: product_stitch_notes
-- What stitching changed and people should know (a lossy codec replaced, say), each note once.
-- scan: the stitched frames of one project, once, when it is finished
SELECT DISTINCT why FROM product WHERE project = :project AND kind = 'stitch' AND state = 'done' AND why <> '' LIMIT 5;

-- name: project_frame
UPDATE project SET frames_done = frames_done + 1 WHERE id = :project;

-- name: frame_ext
UPDATE frame SET ext = :ext WHERE project = :project AND frame = :frame;

-- name: frame_list
-- The frames of a project that are whole, in order, after a given one.
SELECT frame, ext FROM frame WHERE project = :project AND frame > :after AND ext <> '' ORDER BY frame LIMIT :limit;

-- name: tile_list
-- The tiles of one frame, top to bottom, left to right.
SELECT row, column, lease, ext FROM task WHERE project = :project AND frame = :frame AND state = 'done' ORDER BY row, column;

-- name: task_list_done
-- All tiles of a project in order of frame, row and column, after a given place.
SELECT frame, row, column, lease, ext, size FROM task
 WHERE project = :project AND (frame, row, column) > (:frame, :row, :column) AND state = 'done' ORDER BY frame, row, column LIMIT :limit;

-- name: project_result
UPDATE project SET result = :ext WHERE id = :project;

-- name: project_raw
UPDATE project SET raw = 1 WHERE id = :project;

-- name: project_finish
UPDATE project SET state = 'finished', message = CASE WHEN :note = '' THEN message ELSE :note END, finished_ms = :now_ms
 WHERE id = :project AND state = 'composing' AND result <> '';
