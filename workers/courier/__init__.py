"""The courier: webhooks and prompt dry runs, off the GPU. Knows no torch."""
