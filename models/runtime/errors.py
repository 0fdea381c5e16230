"""What a generation may fail with beside a wrong request; without torch, for whoever catches it."""


class DeviceMemoryError(RuntimeError):
    """The device's memory does not suffice, not even for one image at a time."""


class StrictError(RuntimeError):
    """No image passed the normality guard, or fewer than a strict request wants."""
