"""Step 4, record (记录): uses, their keys, spent nonces, counters, quotas and risk facts, in one statement."""
