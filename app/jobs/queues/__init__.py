"""The queues of jobs: how a job gets in, where it stands, whose turn it is."""
