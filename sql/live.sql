-- name: data_version
-- Moves when another connection committed anything; costs a look at shared memory.
PRAGMA data_version;

-- name: live_projects
-- Every project that may stand in a list: what is going, and what began not long ago.
SELECT id FROM project WHERE state IN ('splitting', 'active', 'paused', 'composing')
UNION ALL SELECT id FROM project WHERE state IN ('finished', 'failed', 'cancelled') AND max(started_ms, created_ms) > :since_ms;

-- name: live_counts
-- What moves without an event, of all that is going.
SELECT CAST(id AS TEXT), state, frames_done, running, errors, started_ms FROM project WHERE state IN ('splitting', 'active', 'paused', 'composing');

-- name: live_viewers
SELECT user FROM viewer WHERE project = :project;

-- name: live_frames
-- A project's frames in order: tiles, those done and being rendered, tries that failed, and thousandths of what is being rendered.
SELECT t.frame, count(*), sum(t.state = 'done'), sum(t.state = 'leased'), sum(t.tries), sum(CASE WHEN t.state = 'leased' THEN coalesce(l.progress, 0) ELSE 0 END)
  FROM task t LEFT JOIN lease l ON l.id = t.holder AND t.state = 'leased'
 WHERE t.project = :project AND t.state <> 'replaced' GROUP BY t.frame ORDER BY t.frame;

-- name: words_keep
-- No row: the project is gone, or that was known.
INSERT INTO words (project, rules, said) SELECT id, :rules, :said FROM project WHERE id = :project
    ON CONFLICT (project) DO UPDATE SET rules = excluded.rules, said = excluded.said WHERE rules <> excluded.rules OR said <> excluded.said;

-- name: words_of
SELECT said FROM words WHERE project = :project AND rules = :rules;
