"""Loading from a model hub without waiting for one that is not there."""

from collections.abc import Callable
from typing import TypeVar

import httpx2
from huggingface_hub import constants

from models.catalog.chosen import names_folder
from models.runtime.errors import HubUnreachableError

Model = TypeVar("Model")
PROBE_TIMEOUT_S = 5.0


def cached_or_fetched(source: str, load: Callable[[bool], Model]) -> Model:
    """What `load` makes of `source`, from the hub's local cache if it is there, else from the hub.

    Args:
        source: the model's id, for the error.
        load: loads the model; its argument says whether only local files may be used.

    Raises:
        HubUnreachableError: it is not in the cache, and the hub cannot be reached.
        RuntimeError: the hub does not have it, or there is no such folder.
    """
    try:
        return load(True)
    except RuntimeError as error:
        if names_folder(source):
            raise RuntimeError(f"no model {source!r}: there is no such folder") from error
        # The hub's client retries a dead network for half a minute: ask once, shortly, before.
        try:
            httpx2.head(constants.ENDPOINT, timeout=PROBE_TIMEOUT_S)
        except httpx2.TransportError:
            raise HubUnreachableError(
                f"no model {source!r}: it is no folder, not in the hub's local cache, and the hub "
                "cannot be reached"
            ) from error
    return load(False)
