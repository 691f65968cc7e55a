-- 0013: projects say since when they render; those of before are told by what was lent.

UPDATE project SET started_ms = l.first_ms FROM (SELECT project, min(since_ms) AS first_ms FROM lease GROUP BY project) l
 WHERE l.project = project.id AND project.started_ms = 0;

PRAGMA user_version = 13;
