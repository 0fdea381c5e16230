"""How the client speaks with a service: requests, what is sent again, how a job is awaited."""
