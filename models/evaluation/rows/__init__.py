"""What a detector is trained on: one row of a table each."""
