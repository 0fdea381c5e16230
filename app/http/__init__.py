"""HTTP: routes, what stands before every route, and the description of the API. Knows no torch."""
