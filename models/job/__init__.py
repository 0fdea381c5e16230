"""One generation from request to result: the method's parts wired together (TGI-AD, section 4)."""
