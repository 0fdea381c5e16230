"""What models and a generation may fail with beside a wrong request; without torch."""


class HubUnreachableError(RuntimeError):
    """A model is not on this machine, and the hub that has it does not answer."""


class DeviceMemoryError(RuntimeError):
    """The device's memory does not suffice, not even for one image at a time."""


class StrictError(RuntimeError):
    """No image passed the normality guard, or fewer than a strict request wants."""
