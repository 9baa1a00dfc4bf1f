-- When the work was scheduled, by the clock of that moment. A moment that lies ahead says that the
-- clock was put back since: what was meant is the wait, not the moment.
ALTER TABLE due_work ADD COLUMN set_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX due_work_by_set ON due_work (set_ms);
