"""`goodmany serve` and its parts, one by one: `api`, `worker`, `courier`, `viewer`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from app.files.spool import spool_folder, use_spool
from app.jobs.model import Priority
from app.observability.logs import start_logging
from app.observability.tracing import start_tracing
from app.settings import Settings
from workers.cli.failures import UsageError
from workers.serve.listening import Tls, listen

Host = Annotated[str, typer.Option(help="Address to listen at.")]
Port = Annotated[int, typer.Option(help="Port to listen at; 0 for any free one.")]
Certificate = Annotated[
    Path | None, typer.Option(help="Certificate as PEM; the API then speaks https alone.")
]
CertificateKey = Annotated[
    Path | None, typer.Option(help="Its key, unless it stands in the same file.")
]
KeyPassword = Annotated[
    str, typer.Option(help="The key's password.", envvar="GOODMANY_SSL_KEYFILE_PASSWORD")
]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Where jobs and files are kept; else GOODMANY_DATA_DIR, else data."),
    ] = None,
    ssl_certfile: Certificate = None,
    ssl_keyfile: CertificateKey = None,
    ssl_keyfile_password: KeyPassword = "",
) -> None:
    """Runs Redis, one worker and the API on this machine, until it is stopped."""
    from workers.serve import service  # noqa: PLC0415, the API image has no Redis

    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    _begin(settings)
    tls = _read_tls(ssl_certfile, ssl_keyfile, ssl_keyfile_password)
    raise typer.Exit(service.serve(settings, host, port, tls=tls))


def api(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    ssl_certfile: Certificate = None,
    ssl_keyfile: CertificateKey = None,
    ssl_keyfile_password: KeyPassword = "",
) -> None:
    """Runs the API alone; Redis and the storage are named by the settings."""
    from workers.serve.api_server import ApiServer  # noqa: PLC0415

    settings = Settings()
    _begin(settings)
    tls = _read_tls(ssl_certfile, ssl_keyfile, ssl_keyfile_password)
    listener = listen(host, port)
    start_tracing("goodmany-api")
    ApiServer(settings, host, port, tls=tls, listener=listener).serve_until_stopped()


def worker(
    queue: Annotated[
        list[Priority] | None,
        typer.Option(help="Take from this queue alone; may be repeated. Default: from both."),
    ] = None,
) -> None:
    """Runs one worker, until it is stopped; a running job is finished first."""
    from workers.generation.worker import WarmWorker  # noqa: PLC0415

    settings = Settings()
    _begin(settings)
    warm_worker = WarmWorker(settings, queue_names=queue or list(Priority))
    warm_worker.work(logging_level=settings.log_level)
    if warm_worker.load_failure is not None:
        raise RuntimeError(warm_worker.load_failure)
    if not warm_worker.is_told_to_stop:
        raise RuntimeError("The worker has ended by a fault; its log says which.")


def courier() -> None:
    """Delivers webhooks and answers the prompt dry run, until it is stopped; needs no torch."""
    from workers.courier.processes import courier_processes  # noqa: PLC0415

    settings = Settings()
    _begin(settings)
    courier_processes(settings).run()


def viewer() -> None:
    """Shows which views of images are good (`POST /v1/views`), until it is stopped; on the CPU."""
    from workers.viewer.process import viewer_processes  # noqa: PLC0415

    settings = Settings()
    _begin(settings)
    viewer_processes(settings).run()


def _begin(settings: Settings) -> None:
    """What every process of the service does first."""
    start_logging(settings)
    # Whatever it and its children write is for their user alone.
    os.umask(0o077)
    use_spool(spool_folder(settings))


def _read_tls(certfile: Path | None, keyfile: Path | None, password: str) -> Tls | None:
    """The certificate, if there is one.

    Raises:
        UsageError: there is a key alone.
        ListenError: it cannot be used.
    """
    if certfile is None:
        if keyfile is not None:
            raise UsageError("--ssl-keyfile needs --ssl-certfile.")
        return None
    tls = Tls(certfile, keyfile, password) if password else Tls(certfile, keyfile)
    tls.check()
    return tls
