-- 0011: what a language model said of a project, and the rules' sentences that it was said of: while those are true, its own are.

CREATE TABLE words (
	project INTEGER PRIMARY KEY REFERENCES project (id),
	rules   TEXT NOT NULL,
	said    TEXT NOT NULL
) STRICT;

PRAGMA user_version = 11;
