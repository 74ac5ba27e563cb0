-- Names as they are searched and sorted: composed and case folded, which SQLite does for ASCII alone.
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE users SET name_key = lower(name);
