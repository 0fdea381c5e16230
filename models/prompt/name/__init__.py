"""An object's name as people write it: the thing in it, its article, its spelling."""
