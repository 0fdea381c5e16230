"""The paper's correlation study."""
