"""What a job leaves: the ZIP and its pictures."""
