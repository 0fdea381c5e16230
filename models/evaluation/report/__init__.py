"""Tables, pages and plots of finished measurements."""
