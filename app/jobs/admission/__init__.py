"""Whether a request becomes a job: limits, room on the disk, one job for one idempotency key."""
