"""The page at `/`: a whole job in a browser, without a build step."""
