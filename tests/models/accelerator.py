"""A device that is not the processor, for machines that have no other.

Its tensors say that they lie on `DEVICE` and are computed on the processor all the same. What a GPU
refuses, it refuses too: an operation on tensors of both devices, random numbers from the other
device's generator, numpy. It is torch's "lazy" device, which has a name and no implementation: what
does not come through here fails at once.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

DEVICE = torch.device("lazy", 0)
aten = torch.ops.aten
# Only these may see both devices.
COPIES = {aten.copy_.default, aten._to_copy.default}
# The processor waits for a GPU where a value, a shape or a copy is asked for.
WAITS = {
    aten._local_scalar_dense.default,
    aten.equal.default,
    aten.is_nonzero.default,
    aten.nonzero.default,
    aten.masked_select.default,
}


class AcceleratedTensor(Tensor):
    """A tensor that says it lies on DEVICE; `inner` has its values, on the processor."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "AcceleratedTensor":
        made = Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=DEVICE,
        )
        made.inner = inner
        return made

    def tolist(self) -> Any:
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func} on {DEVICE} while there is no accelerator")

    def __repr__(self, **_: Any) -> str:
        return f"AcceleratedTensor({tuple(self.shape)}, {self.dtype})"


class Accelerator(TorchDispatchMode):
    """There is such a device as long as this is entered.

    Attributes:
        num_waits: how often the processor would have waited for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.num_waits = 0

    def __enter__(self) -> "Accelerator":
        # Python's numbers become tensors on the processor first, and are copied in the open.
        torch._C._set_only_lift_cpu_tensors(True)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        torch._C._set_only_lift_cpu_tensors(False)
        super().__exit__(*error)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        device = kwargs.get("device")
        wanted = torch.device(device) if device is not None else None
        given = list(_tensors((args, tuple(kwargs.values()))))
        is_here = any(isinstance(each, AcceleratedTensor) for each in given)
        if is_here and func not in COPIES:
            _refuse_mixed(func, args, kwargs)
        lands_here = is_here if wanted is None else wanted.type == DEVICE.type
        if func is aten.copy_.default:
            lands_here = isinstance(args[0], AcceleratedTensor)
        generator = kwargs.get("generator")
        if lands_here and generator is not None and generator.device.type != DEVICE.type:
            raise RuntimeError(f"{func}: a generator of {generator.device} for {DEVICE}")
        if is_here and (func in WAITS or not lands_here or _has_mask(func, args)):
            self.num_waits += 1
        if wanted is not None and lands_here:
            kwargs = {**kwargs, "device": torch.device("cpu")}
        inner = {name: _inner(value) for name, value in kwargs.items()}
        made = func(*map(_inner, args), **inner)
        if not lands_here:
            return made
        known = {id(each.inner): each for each in given if isinstance(each, AcceleratedTensor)}
        return _placed(made, known)


# An operation's arguments and results are tensors, lists and tuples of them, and what is none. The
# trees of `torch.utils` know of much more, and take most of the time of a small tensor's operation.


def _inner(value: Any) -> Any:
    if isinstance(value, AcceleratedTensor):
        return value.inner
    return [_inner(each) for each in value] if isinstance(value, list | tuple) else value


def _placed(value: Any, known: dict[int, AcceleratedTensor]) -> Any:
    """The result on the device; what was changed in place is the tensor that it was."""
    if isinstance(value, Tensor):
        return known.get(id(value)) if id(value) in known else AcceleratedTensor(value)
    if isinstance(value, list | tuple):
        return type(value)(_placed(each, known) for each in value)
    return value


def _tensors(values: Any) -> Iterator[Tensor]:
    for each in values:
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, list | tuple):
            yield from _tensors(each)


def _refuse_mixed(func: Any, args: Any, kwargs: Any) -> None:
    for value in (*args, *kwargs.values()):
        # A number as a tensor goes with anything, but not within a list of tensors.
        is_list = isinstance(value, list | tuple)
        for each in _tensors(value if is_list else (value,)):
            if not isinstance(each, AcceleratedTensor) and (each.dim() or is_list):
                raise RuntimeError(
                    f"{func}: a tensor {tuple(each.shape)} on {each.device} among those on {DEVICE}"
                )


def _has_mask(func: Callable[..., Any], args: Any) -> bool:
    is_index = func in {aten.index.Tensor, aten.index_put_.default}
    return is_index and any(each.dtype == torch.bool for each in _tensors(args[1]))
