"""What a generation may fail with beside a wrong request; without torch, for whoever catches it."""


class DeviceMemoryError(RuntimeError):
    """The device's memory does not suffice, not even for one image at a time."""


class StrictError(RuntimeError):
    """Fewer images passed the normality guard than a strict request wants."""
