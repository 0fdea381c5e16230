"""The HTTP API: it accepts, reports and hands over; it never computes."""
