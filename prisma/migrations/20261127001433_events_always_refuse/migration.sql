-- Also where session_replication_role is replica, which turns ordinary triggers off.
ALTER TABLE "event" ENABLE ALWAYS TRIGGER "event_append_only";
