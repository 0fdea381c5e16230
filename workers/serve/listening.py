"""Where a server listens: an address that is free, a certificate that can be used."""

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path


class ListenError(RuntimeError):
    """The server cannot listen there; the message says why, and what helps."""


@dataclass(frozen=True)
class Tls:
    """A certificate with its key, both PEM.

    Attributes:
        certfile: with the certificates between it and the root, if there are any.
        keyfile: None when the key stands in the certificate's file.
        password: of the key; without any it would be asked for at the terminal.
    """

    certfile: Path
    keyfile: Path | None = None
    password: str = "none"

    def check(self) -> None:
        """Makes sure that they can be used.

        Raises:
            ListenError: they cannot.
        """
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certfile, self.keyfile, self.password)
        except OSError as error:
            files = f"{self.certfile}, {self.keyfile}" if self.keyfile else f"{self.certfile}"
            raise ListenError(f"The certificate cannot be used ({files}): {error}.") from error


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound there.

    Args:
        host: an address or a name of this machine.
        port: 0 for any free one.

    Raises:
        ListenError: it cannot be.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Bound is not enough: another socket may be bound there too, until one of them listens.
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ListenError(
                f"Port {port} of {host} is in use; choose another, or 0 for any free one."
            ) from error
        raise ListenError(f"Nothing can listen at {host}, port {port}: {_why(error)}.") from error
    return listener


def _why(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "no such address"
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
