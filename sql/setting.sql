-- name: setting_all
-- scan: as many rows as an admin changed
SELECT key, value FROM setting;

-- name: setting_set
INSERT INTO setting (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
